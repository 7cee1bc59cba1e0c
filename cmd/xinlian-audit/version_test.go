package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/xinlian-ledger/xinlian/app"
	"github.com/xinlian-ledger/xinlian/node/lang"
)

// Programs read the version as JSON, as that of the other two.
func TestVersionAsJSON(t *testing.T) {
	root := rootCmd(lang.English)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"version", "--json"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	var v struct {
		Version string `json:"version"`
		Rules   uint64 `json:"rules"`
	}
	if err := json.Unmarshal(out.Bytes(), &v); err != nil || v.Version == "" || v.Rules != app.Version {
		t.Errorf("version --json says %s: %v", out.Bytes(), err)
	}
}
