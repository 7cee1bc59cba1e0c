package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/client"
	"github.com/xinlian-ledger/xinlian/node/keys"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/code"
	"github.com/xinlian-ledger/xinlian/x/consent"
)

// What a firm does with its own key. It needs no node: what is printed goes to whoever brings it to the ledger.

// firmCmd makes a verb that signs with a key: sign gives the digest, and what is printed beside key and signature.
func firmCmd(use, short, long, signature string, flags func(*cobra.Command), sign func(chain string, k *keys.Key) (digest [32]byte, out map[string]any, err error)) *cobra.Command {
	c := &cobra.Command{Use: use + " NAME", Short: short, Long: long, Args: cobra.ExactArgs(1)}
	dir := keysFlag(c)
	chain := c.Flags().String("chain-id", "", "id of the chain")
	flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *chain == "" {
			return usage(errors.New("--chain-id is missing; /v1/status of any node names it"))
		}
		word, err := keys.Passphrase(c.Context(), "passphrase of "+args[0])
		if err != nil {
			return err
		}
		k, err := keys.Open(*dir).Load(args[0], word)
		if err != nil {
			return usage(err)
		}
		digest, out, err := sign(*chain, k)
		if err != nil {
			return usage(err)
		}
		sig, err := k.Sign(digest)
		if err != nil {
			return err
		}
		out[signature] = hex.EncodeToString(sig)
		return printJSON(c.OutOrStdout(), out)
	}
	return c
}

// ofFlag says which flag an error is about.
func ofFlag(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--%s: %w", name, err)
}

func addressOf(k *keys.Key) string { return strings.TrimPrefix(k.Address().String(), "0x") }

func keysProveCmd() *cobra.Command {
	var firm string
	return firmCmd("prove", "Prove to the registry that a firm holds its key (主体密钥持有证明)",
		`Sign, with the key that is to be registered, that it is this firm's on this chain. The registry sends what is printed with
'xinlian tx firm register-key', after it has checked who brings it. Nobody can register a key for a firm that did not sign this.`, "proof",
		func(c *cobra.Command) {
			c.Flags().StringVar(&firm, "subject", "", "code of the firm (统一社会信用代码)")
		},
		func(chain string, k *keys.Key) ([32]byte, map[string]any, error) {
			return pb.KeyProof(chain, firm), map[string]any{"subject": firm, "address": addressOf(k)}, ofFlag("subject", code.CheckUSCC(firm))
		})
}

func keysAuthoriseCmd() *cobra.Command {
	var file string
	return firmCmd("authorise", "Authorise a lender with a firm's own key (授权)",
		`Sign which lender may be told which classes of data, for which purpose, until when and how often. --json-file holds the content:

  {"subject": "USCC", "grantee": "USCC", "gateway": "USCC", "purpose": "pre_loan", "classes": ["grade", "commitments"],
   "grant_no": "SQ-2026-1", "granted_on": "2026-06-01", "valid_until": "2026-09-01", "max_uses": 0}

An agency, the gateway or the lender brings what is printed: 'xinlian tx consent grant --json-file'. Whoever brings it can change nothing.`, "signature",
		func(c *cobra.Command) {
			c.Flags().StringVar(&file, "json-file", "", `file with the content as a JSON object ("-": standard input)`)
		},
		func(chain string, k *keys.Key) (digest [32]byte, out map[string]any, err error) {
			raw, err := readInput(file, jsonFileMax)
			if err != nil {
				return digest, nil, err
			}
			content := new(pb.AuthorisationContent)
			if _, err := client.ReadMessage(raw, content); err != nil {
				return digest, nil, err
			}
			if err := consent.CheckContent(content); err != nil {
				return digest, nil, err
			}
			return pb.GrantDigest(chain, content), map[string]any{"content": json.RawMessage(raw), "key": addressOf(k)}, nil
		})
}

func keysWithdrawCmd() *cobra.Command {
	var authorisation string
	return firmCmd("withdraw", "Withdraw an authorisation with a firm's own key (撤回授权)",
		`Sign that an authorisation has ended. Any key in force of the firm does. An agency, the gateway or the lender brings what is printed:
'xinlian tx consent withdraw --json-file'.

An authorisation that nobody has brought yet cannot end: E_AUTH_NONE. Whoever holds it may bring it afterwards, so keep what is printed and have it brought again
once the authorisation stands. Who would not wait for that has the registry replace the key: what it signed and nobody has brought is refused from then on.`, "signature",
		func(c *cobra.Command) {
			c.Flags().StringVar(&authorisation, "authorisation", "", "id of the firm's authorisation")
		},
		func(chain string, k *keys.Key) (digest [32]byte, out map[string]any, err error) {
			id, err := recordID(authorisation)
			if err != nil {
				return digest, nil, ofFlag("authorisation", err)
			}
			return pb.WithdrawDigest(chain, id[:]), map[string]any{"authorisation": hex.EncodeToString(id[:]), "key": addressOf(k)}, nil
		})
}
