package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/xinlian-ledger/xinlian/node/keys"
	"github.com/xinlian-ledger/xinlian/node/vault"
)

func vaultCmd() *cobra.Command {
	cmd := group("vault", "Show, verify and destroy the words behind digests (保险库)", vaultShowCmd(), vaultVerifyCmd(), vaultDestroyCmd())
	cmd.Long = `The vault is an encrypted folder of the agency, not of the node: it keeps the words of records (facts, basis, names, reasons), of which the ledger
has salted digests only. The passphrase is asked for, or comes from the file that XINLIAN_PASSPHRASE_FILE names.

Exit codes: 0 done, 1 there are no such words or they do not agree, 2 the call was wrong.`
	return cmd
}

func vaultFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("vault", vaultDir(""), "folder of the vault")
}

// openVault opens a vault that is there: reading must not make a new one.
func openVault(ctx context.Context, dir string) (*vault.Vault, error) {
	pass, err := keys.Passphrase(ctx, "passphrase of the vault")
	if err != nil {
		return nil, usage(err)
	}
	v, err := vault.Open(dir, []byte(pass))
	if err != nil {
		return nil, usage(fmt.Errorf("vault %s: %w", dir, err))
	}
	return v, nil
}

// textSet is one set of words for programs.
type textSet struct {
	Digest string            `json:"digest"`
	Texts  map[string]string `json:"texts"`
}

func vaultShowCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "show RECORD", Short: "Show the words of a record", Args: cobra.ExactArgs(1)}
	dir, asJSON := vaultFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, v, err := vaultArgs(cmd.Context(), args[0], *dir)
		if err != nil {
			return err
		}
		sets, err := v.Show(id)
		if err != nil {
			return exitWith(exitFailed, err)
		}
		if *asJSON {
			out := struct {
				Record string    `json:"record"`
				Sets   []textSet `json:"sets"`
			}{Record: hex.EncodeToString(id[:])}
			for _, s := range sets {
				out.Sets = append(out.Sets, textSet{hex.EncodeToString(s.Digest[:]), s.Texts})
			}
			return printJSON(cmd.OutOrStdout(), out)
		}
		for _, s := range sets {
			fmt.Fprintf(cmd.OutOrStdout(), "digest %x\n", s.Digest)
			t := newTable()
			names := make([]string, 0, len(s.Texts))
			for name := range s.Texts {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				t.row("  "+name, s.Texts[name])
			}
			t.write(cmd.OutOrStdout())
		}
		return nil
	}
	return cmd
}

func vaultVerifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify RECORD", Short: "Check that the words of a record are whole, and are those of a digest", Args: cobra.ExactArgs(1),
		Long: `Open every set of words of a record and compute its digest anew. With --digest, say whether the vault has the words that this digest on the ledger
speaks of (` + "`xinlian query record`" + ` shows it).`,
	}
	dir, asJSON := vaultFlag(cmd), jsonFlag(cmd)
	digest := cmd.Flags().String("digest", "", "digest on the ledger, 64 hexadecimal digits")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, v, err := vaultArgs(cmd.Context(), args[0], *dir)
		if err != nil {
			return err
		}
		var found []string
		if *digest != "" {
			want, err := recordID(*digest)
			if err != nil {
				return usagef("--digest: 64 hexadecimal digits are expected")
			}
			if _, err := v.Verify(id, want); err != nil {
				return exitWith(exitFailed, fmt.Errorf("digest %x: %w", want, err))
			}
			found = append(found, hex.EncodeToString(want[:]))
		} else {
			sets, err := v.Show(id)
			if err != nil {
				return exitWith(exitFailed, err)
			}
			for _, s := range sets {
				if _, err := v.Verify(id, s.Digest); err != nil {
					return exitWith(exitFailed, err)
				}
				found = append(found, hex.EncodeToString(s.Digest[:]))
			}
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), struct {
				Record  string   `json:"record"`
				Digests []string `json:"digests"`
			}{hex.EncodeToString(id[:]), found})
		}
		for _, d := range found {
			fmt.Fprintf(cmd.OutOrStdout(), "whole: digest %s\n", d)
		}
		return nil
	}
	return cmd
}

func vaultDestroyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "destroy RECORD", Short: "Destroy the words of a record for good", Args: cobra.ExactArgs(1),
		Long: `Destroy the words of a record for good, and leave a tombstone so that an old file cannot bring them back. The digest on the ledger stays. Backups of the
folder must be destroyed as well. On a terminal it asks first.`,
	}
	dir, asJSON := vaultFlag(cmd), jsonFlag(cmd)
	yes := cmd.Flags().Bool("yes", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, v, err := vaultArgs(cmd.Context(), args[0], *dir)
		if err != nil {
			return err
		}
		if !*yes && term.IsTerminal(int(os.Stdin.Fd())) {
			fmt.Fprintf(cmd.ErrOrStderr(), "destroy the words of record %x for good? There is no way back. yes/no: ", id)
			var answer string
			if _, err := fmt.Fscanln(cmd.InOrStdin(), &answer); err != nil || answer != "yes" {
				return usage(errors.New("nothing was destroyed"))
			}
		}
		if err := v.Destroy(id); err != nil {
			return exitWith(exitFailed, err)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), struct {
				Record    string `json:"record"`
				Destroyed bool   `json:"destroyed"`
			}{hex.EncodeToString(id[:]), true})
		}
		fmt.Fprintf(cmd.OutOrStdout(), "destroyed: the words of record %x\n", id)
		return nil
	}
	return cmd
}

func vaultArgs(ctx context.Context, record, dir string) ([32]byte, *vault.Vault, error) {
	id, err := recordID(record)
	if err != nil {
		return id, nil, err
	}
	v, err := openVault(ctx, dir)
	return id, v, err
}
