package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/keys"
)

// keysFlag adds --keys.
func keysFlag(c *cobra.Command) *string {
	return c.Flags().String("keys", filepath.Join(homeDir(), "keys"), "folder with the key files")
}

func keysCmd() *cobra.Command {
	return group("keys", "Keep the signing keys of a member or a firm",
		keysAddCmd(), keysListCmd(), keysShowCmd(), keysImportCmd(), keysExportCmd(), keysRotateCmd(),
		keysProveCmd(), keysAuthoriseCmd(), keysWithdrawCmd())
}

func keysAddCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "add NAME", Short: "Make a new key", Args: cobra.ExactArgs(1),
		Long: `Make a new key and encrypt it into NAME.json (Ethereum keystore, version 3). The passphrase comes from the file that
XINLIAN_PASSPHRASE_FILE names, or from the prompt. Governance enters the address that is printed into the member's row.`,
	}
	dir, asJSON := keysFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		k, err := keys.Generate(args[0])
		if err != nil {
			return usage(err)
		}
		word, err := newPassphrase(c.Context(), args[0])
		if err != nil {
			return err
		}
		info, err := keys.Open(*dir).Add(k, word)
		if err != nil {
			return err
		}
		return showKey(c, info, *asJSON)
	}
	return c
}

// newPassphrase asks twice where it asks at all.
func newPassphrase(ctx context.Context, name string) (string, error) {
	word, err := keys.Passphrase(ctx, "new passphrase of "+name)
	if err != nil || os.Getenv(keys.PassphraseFileEnv) != "" {
		return word, err
	}
	again, err := keys.Passphrase(ctx, "the same again")
	if err != nil {
		return "", err
	}
	if word != again {
		return "", errors.New("the two passphrases differ")
	}
	return word, nil
}

func showKey(c *cobra.Command, info keys.Info, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), info)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s  %s  %s\n", info.Name, info.Address, info.File)
	return err
}

func keysListCmd() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the keys of a folder", Args: cobra.NoArgs}
	dir, asJSON := keysFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		list, err := keys.Open(*dir).List()
		if err != nil {
			return err
		}
		if *asJSON {
			if list == nil {
				list = []keys.Info{}
			}
			return printJSON(c.OutOrStdout(), list)
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		for _, k := range list {
			fmt.Fprintf(w, "%s\t%s\n", k.Name, k.Address)
		}
		return w.Flush()
	}
	return c
}

func keysShowCmd() *cobra.Command {
	c := &cobra.Command{Use: "show NAME", Short: "Show a key's address and file", Args: cobra.ExactArgs(1)}
	dir, asJSON := keysFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		info, err := keys.Open(*dir).Show(args[0])
		if err != nil {
			return err
		}
		return showKey(c, info, *asJSON)
	}
	return c
}

func keysImportCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "import NAME FILE", Short: "Take a key made elsewhere", Args: cobra.ExactArgs(2),
		Long: `Take a version 3 key file, or a file with a secret of 64 hexadecimal digits, and encrypt it into NAME.json. --from-passphrase-file
opens the file where its passphrase is not the one that XINLIAN_PASSPHRASE_FILE names. A file with a bare secret should be
destroyed afterwards.`,
	}
	dir, asJSON := keysFlag(c), jsonFlag(c)
	from := c.Flags().String("from-passphrase-file", "", "file with the passphrase of FILE")
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := readFileMax(args[1], 1<<16)
		if err != nil {
			return err
		}
		locks, err := newPassphrase(c.Context(), args[0])
		if err != nil {
			return err
		}
		opens := locks
		if *from != "" {
			if opens, err = keys.ReadPassphrase(*from); err != nil {
				return err
			}
		}
		info, err := keys.Open(*dir).Import(args[0], raw, opens, locks)
		if err != nil {
			return err
		}
		return showKey(c, info, *asJSON)
	}
	return c
}

func keysExportCmd() *cobra.Command {
	c := &cobra.Command{Use: "export NAME", Short: "Write a key's file, encrypted as it is", Args: cobra.ExactArgs(1)}
	dir := keysFlag(c)
	out := c.Flags().String("out", "", "file to write; it must not exist (default: standard output)")
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := keys.Open(*dir).Export(args[0])
		if err != nil {
			return err
		}
		if *out == "" {
			_, err = c.OutOrStdout().Write(raw)
			return err
		}
		f, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(raw)
		if err = errors.Join(err, f.Close()); err != nil { // a part of a key would stand in the way of the whole one
			return errors.Join(err, os.Remove(*out))
		}
		return nil
	}
	return c
}

func keysRotateCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "rotate NAME", Short: "Make the successor of a key, and put it in place when governance has entered it", Args: cobra.ExactArgs(1),
		Long: `Make a new key NAME-next beside NAME and print what governance needs: a proposal that puts the new address with the old one's
roles into the member's row, and ends the old one's window. The old key stays in use until the vote is in force; then
'xinlian keys rotate NAME --finish' puts the new file in its place and keeps the old one as NAME-retired-….`,
	}
	dir, asJSON := keysFlag(c), jsonFlag(c)
	finish := c.Flags().Bool("finish", false, "the vote is in force: put NAME-next in NAME's place")
	c.RunE = func(c *cobra.Command, args []string) error {
		store := keys.Open(*dir)
		w := c.OutOrStdout()
		if *finish {
			retired, now, err := store.FinishRotation(args[0])
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(w, map[string]any{"key": now, "retired": retired})
			}
			_, err = fmt.Fprintf(w, "%s is now %s; the old key is kept in %s\n", now.Name, now.Address, retired.File)
			return err
		}
		if _, err := store.Show(args[0]); err != nil {
			return err
		}
		word, err := keys.Passphrase(c.Context(), "passphrase of "+args[0])
		if err != nil {
			return err
		}
		old, next, err := store.Rotate(args[0], word)
		if err != nil {
			return err
		}
		// What goes into the keys of put_member; days and roles are the member's to fill in.
		oldBytes, nextBytes := old.Address, next.Address
		entry := map[string]any{
			"add":    map[string]any{"address": nextBytes[:], "address_hex": next.Address.String(), "roles": "as those of the old key", "valid_from": "first day of the new key", "name": args[0]},
			"end":    map[string]any{"address": oldBytes[:], "address_hex": old.Address.String(), "valid_to": "last day of the old key"},
			"action": "put_member",
		}
		if *asJSON {
			return printJSON(w, map[string]any{"key": old, "next": next, "governance": entry})
		}
		raw, err := json.MarshalIndent(entry, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s  %s  %s\nfor governance (tx member propose):\n%s\nwhen it is in force: xinlian keys rotate %s --finish --keys %s\n",
			next.Name, next.Address, next.File, raw, args[0], *dir)
		return err
	}
	return c
}
