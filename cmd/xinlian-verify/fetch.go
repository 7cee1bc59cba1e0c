package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/xinlian-ledger/xinlian/node/lang/shell"
	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x/attest"
)

const fetchTimeout = 60 * time.Second

// silenceMax is how long the first byte of an answer may take: a node has at hand what is asked for, but for a pack and many subjects, which may take four times as long. Tests shorten it.
var silenceMax = 15 * time.Second

func fetchCommand() *cobra.Command {
	var node, out, form, header, anchor string
	var subjects []string
	cmd := &cobra.Command{
		Use:   "fetch --node URL --subject USCC… --out BUNDLE",
		Short: "Get a bundle or an anchor proof from a node; nothing is verified",
		Long: `fetch gets the newest bundle for one subject, or one bundle for several (--subject A,B or --subject A --subject B).
It writes what the node says, UNVERIFIED: use check.

--form pinned-set leaves out the validators; a trust file that has them judges it. --form header-known leaves out the whole block, and
--header FILE is the bundle that carries it, for check --header: kept as it is where it carries the header that is named, else fetched and
written as well. Many bundles of one block need one such file.

--anchor GATEWAY/HOUR gets, in place of a bundle, the proof that the ledger holds the anchor (存证) of a gateway's receipts of an hour: use
receipt --proof.

Exit codes: 0 written; 1 the node gave nothing usable; 2 usage; 3 the node was not reached.`,
		Example: "  xinlian-verify fetch --node http://127.0.0.1:8080 --subject 91410100Y000000160 --form header-known --header block.xla --out firm.xla",
		RunE: func(cmd *cobra.Command, args []string) error {
			// "--subject A B": what follows the first is a subject as well.
			subjects := append(slices.Clone(subjects), args...)
			base, err := nodeURL(node)
			if err != nil {
				return err
			}
			if anchor != "" {
				if len(subjects) > 0 || form != "" || header != "" {
					return usage("--anchor gets no bundle: name neither subjects nor a form")
				}
				return fetchAnchor(cmd, node, anchor, out)
			}
			switch f := attest.Form(form); {
			case len(subjects) == 0:
				return usage("name a subject (--subject) or an anchor (--anchor)")
			case len(subjects) > pb.BundleEntriesMax:
				return usage("%d subjects, more than %d", len(subjects), pb.BundleEntriesMax)
			case form != "" && f != attest.SelfContained && f != attest.PinnedSet && f != attest.HeaderKnown:
				return usage("--form %.40q is none of %s, %s and %s", form, attest.SelfContained, attest.PinnedSet, attest.HeaderKnown)
			case (f == attest.HeaderKnown) != (header != ""):
				return usage("--form %s and --header go together", attest.HeaderKnown)
			}
			if err := apart("--out", out, header); err != nil {
				return err
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
			var raw []byte
			if header != "" {
				raw, err = fetchKnown(ctx, base, subjects, header)
			} else {
				raw, _, err = fetch(ctx, base, subjects, attest.Form(form))
			}
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
	f.StringVar(&form, "form", "", "self-contained (the default), pinned-set or header-known")
	f.StringVar(&header, "header", "", "of --form header-known: file of the bundle that carries the header; written where it does not")
	f.StringVar(&anchor, "anchor", "", "GATEWAY/HOUR: get the proof of this anchor in place of a bundle")
	f.StringVar(&out, "out", "", "file to write")
	for _, name := range []string{"node", "out"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

func nodeURL(node string) (*url.URL, error) {
	base, err := url.Parse(node)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, usage("--node %.80q is not a URL like http://127.0.0.1:8080", node)
	}
	return base, nil
}

// fetchAnchor gets an anchor proof.
func fetchAnchor(cmd *cobra.Command, node, anchor, out string) error {
	gateway, digits, _ := strings.Cut(anchor, "/")
	if err := attest.CheckSubject(gateway); err != nil {
		return usage("--anchor: %w", err)
	}
	hour, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || hour < 0 {
		return usage("--anchor %.80q is not GATEWAY/HOUR; a receipt that is anchored names both", anchor)
	}
	raw, err := fileFrom(cmd.Context(), node, attest.AnchorProofMediaType, pb.BundleBytesMax, "v1", "anchors", gateway, strconv.FormatInt(hour, 10))
	if err != nil {
		return err
	}
	p, err := attest.DecodeAnchorProof(raw)
	switch {
	case err != nil:
		return &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("the node's answer is no anchor proof: %w", err)}
	case p.Row.Gateway != gateway || p.Row.Hour != hour:
		return unusable("the node's proof is of hour %d of %s", p.Row.Hour, p.Row.Gateway)
	}
	if err := save(out, raw); err != nil {
		return usage("write --out: %w", err)
	}
	sayf(cmd, cmd.OutOrStdout(), "%s: %d bytes, UNVERIFIED; use receipt --proof", out, len(raw))
	return nil
}

// fetchKnown gets a bundle that only names its header, and sees to it that a file carries this header. A block may come between the two: then both are fetched
// again.
func fetchKnown(ctx context.Context, base *url.URL, subjects []string, header string) ([]byte, error) {
	carries := func(raw []byte, known *pb.HeaderRef) bool {
		b, err := attest.DecodeBundle(raw)
		if err != nil || b.Header == nil {
			return false
		}
		hash := attest.HeaderHash(b.Header)
		return b.Header.Height == known.Height && bytes.Equal(hash[:], known.Hash)
	}
	for range 5 {
		raw, b, err := fetch(ctx, base, subjects, attest.HeaderKnown)
		if err != nil {
			return nil, err
		}
		if have, err := readBundle(header); err == nil && carries(have, b.Known) {
			return raw, nil
		}
		block, _, err := fetch(ctx, base, subjects[:1], attest.SelfContained)
		if err != nil {
			return nil, err
		}
		if !carries(block, b.Known) {
			continue
		}
		if err := save(header, block); err != nil {
			return nil, usage("write --header: %w", err)
		}
		return raw, nil
	}
	return nil, unusable("the node makes blocks faster than it can be asked for one; fetch --form %s", attest.SelfContained)
}

// fetch gets a bundle; an empty form is self-contained.
func fetch(ctx context.Context, base *url.URL, subjects []string, form attest.Form) ([]byte, *pb.Bundle, error) {
	if form == "" {
		form = attest.SelfContained
	}
	target := func(path ...string) string {
		u := base.JoinPath(path...)
		if form != attest.SelfContained { // not every node knows the parameter
			u.RawQuery = url.Values{"form": {string(form)}}.Encode()
		}
		return u.String()
	}
	var req *http.Request
	var err error
	limit := int64(pb.BundleBytesMax)
	if len(subjects) == 1 {
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, target("v1", "subjects", subjects[0], "attestation"), nil)
	} else {
		limit = pb.BundleManyBytesMax
		body, e := json.Marshal(map[string][]string{"subjects": subjects})
		if e != nil {
			return nil, nil, e
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, target("v1", "attestations"), bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	if err != nil {
		return nil, nil, usage("--node: %w", err)
	}
	req.Header.Set("Accept", attest.MediaType)
	patience := silenceMax
	if len(subjects) > 1 {
		patience *= 4
	}
	resp, err := (&http.Client{Transport: transport(patience)}).Do(req)
	if err != nil {
		return nil, nil, notReached(base, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, &exit{code: exitNode, err: fmt.Errorf("the node at %s broke off: %w", base.Host, err)}
	}
	switch {
	case resp.StatusCode == http.StatusNotFound && len(subjects) > 1:
		return nil, nil, unusable("this node gives no bundle for several subjects; fetch each subject by itself")
	case resp.StatusCode != http.StatusOK:
		return nil, nil, unusable("the node answers %s", strconv.Itoa(resp.StatusCode)+problem(raw))
	case int64(len(raw)) > limit:
		return nil, nil, unusable("the node's answer is larger than %d bytes", limit)
	}
	b, err := attest.DecodeBundle(raw)
	if err != nil {
		return nil, nil, &exit{code: attest.ExitCode(nil, err), err: fmt.Errorf("the node's answer is no bundle: %w", err)}
	}
	if got := attest.FormOf(b); got != form {
		return nil, nil, unusable("the node gives the form %s", got)
	}
	got := make(map[string]bool)
	for i := range b.Entries {
		got[b.Entries[i].Subject] = true
	}
	for _, s := range subjects {
		if !got[s] {
			return nil, nil, unusable("the node's bundle does not speak of %s", s)
		}
	}
	return raw, b, nil
}

// transport waits so long for the first byte of an answer.
func transport(patience time.Duration) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = patience
	return t
}

func notReached(base *url.URL, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var late net.Error
	if op := (*net.OpError)(nil); !errors.As(err, &op) && errors.As(err, &late) && late.Timeout() {
		err = errors.New("nothing came in time; ask again, or another node")
	}
	return &exit{code: exitNode, err: fmt.Errorf("the node at %s was not reached: %w", base.Host, err)}
}

func unusable(format string, args ...any) error {
	return &exit{code: exitInvalid, err: fmt.Errorf(format, args...)}
}

// problem takes from a problem document (RFC 9457) what is wrong and what to do, in one line of printable text.
func problem(raw []byte) string {
	var p struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Remedy string `json:"remedy"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return ""
	}
	if p.Detail == p.Title { // of a refusal that has nothing to add about the case at hand
		p.Detail = ""
	}
	line := ""
	for _, part := range []string{p.Code, p.Title, p.Detail} {
		if part != "" {
			line += ": " + part
		}
	}
	if p.Remedy != "" {
		line += "; " + p.Remedy
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

// apart refuses to write over a file that the same call reads: a bundle that is kept as evidence, or a key, would be gone by one wrong word.
func apart(flag, out string, read ...string) error {
	if out == "" {
		return nil // nothing is written
	}
	there, err := os.Stat(out)
	for _, name := range read {
		same := name != "" && filepath.Clean(name) == filepath.Clean(out)
		if err == nil && there.Mode().IsRegular() {
			if info, err := os.Stat(name); err == nil {
				same = same || os.SameFile(there, info)
			}
		}
		if same {
			return usage("%s: %s is a file that is read here, and would be lost; name another", flag, out)
		}
	}
	return nil
}

// save writes a file whole or not at all.
func save(name string, raw []byte) error { return shell.WriteFile(name, raw, 0o644) }

// fileTimeout is how long the transfer of a pack may take.
const fileTimeout = 10 * time.Minute

// fileFrom gets a pack, a delta or an anchor proof. Nothing compressed is asked for or read: hashes do not compress, and what unpacks to more than it shows
// is how a reader is drowned.
func fileFrom(ctx context.Context, node, kind string, limit int, path ...string) ([]byte, error) {
	base, err := nodeURL(node)
	if err != nil {
		return nil, err
	}
	last, query, _ := strings.Cut(path[len(path)-1], "?")
	target := base.JoinPath(append(path[:len(path)-1:len(path)-1], last)...)
	target.RawQuery = query
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, usage("--node: %w", err)
	}
	req.Header.Set("Accept", kind)
	plain := transport(4 * silenceMax)
	plain.DisableCompression = true
	resp, err := (&http.Client{Transport: plain}).Do(req)
	if err != nil {
		return nil, notReached(base, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, &exit{code: exitNode, err: fmt.Errorf("the node at %s broke off: %w", base.Host, err)}
	case resp.StatusCode != http.StatusOK:
		return nil, unusable("the node answers %s", strconv.Itoa(resp.StatusCode)+problem(raw))
	case len(raw) > limit:
		return nil, unusable("the node's answer is larger than %d bytes", limit)
	}
	return raw, nil
}
