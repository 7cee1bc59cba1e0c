package gateway_test

import (
	"net/http"
	"strings"
	"testing"
)

// A firm reads with its own key what is its own, whole, and is the public to everything else. A key that has ended opens nothing.
func TestFirmReadsItsOwnFile(t *testing.T) {
	w := newWorld(t)
	w.enrolAll()
	w.do("register-key by=registry firm=a key=k1", "register-key by=registry firm=b key=k2")
	w.Actors["a"], w.Actors["b"] = w.FirmKey("a", "k1"), w.FirmKey("b", "k2")
	w.do(
		"record by=zz-scjg firm=a no=7 fine=120000", // 登记, not yet public
		"record by=zz-scjg firm=b no=8 fine=120000",
		"propose-incentive by=zz-scjg firm=a proposal=JL-1",
	)
	w.Block()
	w.Block()
	type file struct {
		Penalties, Incentives []struct{ View string }
		Keys                  []struct{ Address, End string }
		File                  *struct{}
	}
	var own file
	w.want(w.get("a", "/v1/files/"+w.firm("a")), http.StatusOK, "").into(t, &own)
	if len(own.Penalties) != 1 || own.Penalties[0].View != "full" || len(own.Incentives) != 1 || len(own.Keys) != 1 || own.File != nil {
		t.Errorf("the firm sees of its own file: %+v", own)
	}
	// Agencies are told of no keys but the registry, which enters them.
	for reader, n := range map[string]int{"ops": 0, "zz-scjg": 0, "registry": 1, "auditor": 1} {
		var f file
		if w.get(reader, "/v1/files/"+w.firm("a")).into(t, &f); len(f.Keys) != n {
			t.Errorf("%s is told of %d keys, want %d", reader, len(f.Keys), n)
		}
	}
	record := "/v1/records/" + w.penalty("a", "7")
	w.want(w.get("a", record), http.StatusOK, "")
	if a, none := w.get("b", record), w.get("b", "/v1/records/"+strings.Repeat("0", 64)); string(a.body) != string(none.body) {
		t.Errorf("another firm can tell the record from none: %s", a.body)
	}
	w.want(w.get("b", "/v1/files/"+w.firm("a")), http.StatusForbidden, "E_FIRM_AUDIENCE")
	for _, target := range []string{"/v1/duties", "/v1/members/self", "/v1/audit/genesis", "/v1/audit/blocks/1", "/v1/checks/" + w.firm("a"), "/v1/txs/" + strings.Repeat("0", 64)} {
		w.want(w.get("a", target), http.StatusForbidden, "E_FIRM_AUDIENCE")
	}
	w.do("end-key by=registry firm=a key=k1")
	w.Block()
	w.want(w.get("a", "/v1/files/"+w.firm("a")), http.StatusUnauthorized, "E_AUTH")
}
