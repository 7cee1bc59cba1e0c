package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xinlian-ledger/xinlian/x/attest"
)

// heldVector is a vector of x/attest/testdata/anchors whose receipt is of an answer, as files.
type heldVector struct {
	want                       string // exit code and code
	receipt, asked             object // the receipt alone, and in the answer to its query
	bundle, opening, at, trust string
	proof                      []byte
}

type object = map[string]any

func readHeldVector(t *testing.T, path string) (v heldVector) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, proof, _ := bytes.Cut(raw, []byte("\n\n"))
	v.proof = proof
	dir := filepath.Dir(path)
	base64Of := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	p, err := attest.DecodeAnchorProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	var place json.Number
	var receipt []byte
	hashes := []string{}
	v.receipt, v.asked = object{}, object{}
	for _, row := range strings.Split(string(head), "\n")[1:] {
		key, value, _ := strings.Cut(row, ": ")
		switch key {
		case "expect":
			v.want = value
		case "at":
			v.at = value
		case "trust":
			v.trust = filepath.Join(dir, value)
		case "receipt":
			if receipt, err = hex.DecodeString(value); err != nil {
				t.Fatal(err)
			}
			v.receipt["bytes"] = base64.StdEncoding.EncodeToString(receipt)
		case "salt":
			v.receipt["salt"] = value
		case "place":
			place = json.Number(value)
		case "path":
			hashes = append(hashes, value)
		case "bundle":
			v.bundle = filepath.Join(dir, value)
			v.asked["attestation"] = base64Of(value)
		case "opening":
			v.opening = filepath.Join(dir, value)
			v.asked["opening"] = base64Of(value)
		}
	}
	v.receipt["anchor"] = object{"hour": p.Row.Hour, "root": hex.EncodeToString(p.Row.Root), "place": place, "path": hashes}
	v.asked["receipt"] = v.receipt
	return v
}

// TestAnswerVectors: the vectors of answers (PROOF.md Q3) get their exit codes and codes from the program, too: as the answer to a query, in every order of
// the files, and with the answer in files of its own.
func TestAnswerVectors(t *testing.T) {
	names, err := filepath.Glob("../../x/attest/testdata/anchors/receipt-answer-*.xlv")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	refused := 0
	for _, name := range names {
		v := readHeldVector(t, name)
		name = strings.TrimSuffix(filepath.Base(name), ".xlv")
		dir := t.TempDir()
		write := func(name string, raw []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		text := func(o object) []byte {
			raw, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		proof, asked, alone := write("anchor.xln", v.proof), write("asked.json", text(v.asked)), write("receipt.json", text(v.receipt))
		judge := func(how, want string, args ...string) {
			t.Helper()
			var stdout, stderr bytes.Buffer
			exit := run(append([]string{"receipt", "--lang", "en", "--trust", v.trust, "--at", v.at}, args...), &stdout, &stderr)
			code := "OK"
			if exit != 0 {
				for word := range strings.FieldsSeq(stderr.String()) {
					if strings.HasPrefix(word, "E_") {
						code = strings.TrimSuffix(word, ":")
						break
					}
				}
			}
			if got := fmt.Sprint(exit, " ", code); got != want {
				t.Errorf("%s, %s: %s, want %s: %s", name, how, got, want, stderr.String())
			}
		}
		judge("in the answer", v.want, asked, proof)
		judge("in the answer, after the proof", v.want, proof, asked)
		files := []string{"--bundle", v.bundle}
		if v.opening != "" {
			files = append(files, "--opening", v.opening)
		}
		judge("with files that are named", v.want, append(files, proof, alone)...)
		// Files that are given by their bytes alone cannot be swapped.
		want := v.want
		if strings.HasSuffix(name, "swapped") {
			want = "0 OK"
		}
		order := []string{proof, alone, v.bundle}
		if v.opening != "" {
			order = append(order, v.opening)
		}
		for range order {
			order = append(order[1:], order[0])
			judge("with files in any order", want, order...)
		}
		if v.want != "0 OK" {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d of %d vectors are refused", refused, len(names))
	}
}
