package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const fetchTimeout = 60 * time.Second

func fetchCommand() *cobra.Command {
	var node, out string
	var subjects []string
	cmd := &cobra.Command{
		Use:   "fetch --node URL --subject USCC… --out BUNDLE",
		Short: "Get a bundle from a node; nothing is verified",
		Long: `fetch gets the newest bundle for one subject, or one bundle for several (--subject A,B or --subject A --subject B).
It writes what the node says, UNVERIFIED: use check.

Exit codes: 0 written; 1 the node gave no usable bundle; 2 usage; 3 the node was not reached.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			// "--subject A B": what follows the first is a subject as well.
			subjects := append(slices.Clone(subjects), args...)
			base, err := url.Parse(node)
			if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
				return usage("--node %.80q is not a URL like http://127.0.0.1:8080", node)
			}
			if len(subjects) > pb.BundleEntriesMax {
				return usage("%d subjects, more than %d", len(subjects), pb.BundleEntriesMax)
			}
			for i, s := range subjects {
				if err := attest.CheckSubject(s); err != nil {
					return usage("%w", err)
				}
				if slices.Contains(subjects[:i], s) {
					return usage("the subject %s is named twice", s)
				}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), fetchTimeout)
			defer cancel()
			raw, err := fetch(ctx, base, subjects)
			if err != nil {
				return err
			}
			if err := save(out, raw); err != nil {
				return usage("write --out: %w", err)
			}
			sayf(cmd, cmd.OutOrStdout(), "%s: %d bytes for %d subjects, UNVERIFIED; use check", out, len(raw), len(subjects))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&node, "node", "", "URL of a node's gateway")
	f.StringSliceVar(&subjects, "subject", nil, "统一社会信用代码; may be given several times")
	f.StringVar(&out, "out", "", "file to write")
	for _, name := range []string{"node", "subject", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

func fetch(ctx context.Context, base *url.URL, subjects []string) ([]byte, error) {
	var req *http.Request
	var err error
	limit := int64(pb.BundleBytesMax)
	if len(subjects) == 1 {
		target := base.JoinPath("v1", "subjects", subjects[0], "attestation")
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	} else {
		limit = pb.BundleManyBytesMax
		body, e := json.Marshal(map[string][]string{"subjects": subjects})
		if e != nil {
			return nil, e
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("v1", "attestations").String(), bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	if err != nil {
		return nil, usage("--node: %w", err)
	}
	req.Header.Set("Accept", attest.MediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &exit{code: exitNode, err: fmt.Errorf("the node at %s was not reached: %w", base.Host, err)}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, &exit{code: exitNode, err: fmt.Errorf("the node at %s broke off: %w", base.Host, err)}
	}
	switch {
	case resp.StatusCode == http.StatusNotFound && len(subjects) > 1:
		return nil, unusable("this node gives no bundle for several subjects; fetch each subject by itself")
	case resp.StatusCode != http.StatusOK:
		return nil, unusable("the node answers %s", strconv.Itoa(resp.StatusCode)+problem(raw))
	case int64(len(raw)) > limit:
		return nil, unusable("the node's answer is larger than %d bytes", limit)
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return nil, &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("the node's answer is no bundle: %w", err)}
	}
	got := make(map[string]bool)
	for i := range b.Entries {
		got[b.Entries[i].Subject] = true
	}
	for _, s := range subjects {
		if !got[s] {
			return nil, unusable("the node's bundle does not speak of %s", s)
		}
	}
	return raw, nil
}

func unusable(format string, args ...any) error {
	return &exit{code: exitInvalid, err: fmt.Errorf(format, args...)}
}

// problem takes title and detail from a problem document (RFC 9457), in one line of printable text.
func problem(raw []byte) string {
	var p struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return ""
	}
	line := ""
	for _, part := range []string{p.Code, p.Title, p.Detail} {
		if part != "" {
			line += ": " + part
		}
	}
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	if runes := []rune(line); len(runes) > 300 {
		line = string(runes[:300])
	}
	return line
}

// save writes a file whole or not at all: beside the target first, then moved onto it.
func save(name string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".xinlian-verify-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
