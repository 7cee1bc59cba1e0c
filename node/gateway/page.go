package gateway

import (
	_ "embed"
	"net/http"
	"strings"
)

// VerifyPage is the page on which a lender verifies a bundle in the browser: one file, written by `scripts/dev page` from x/attest/ts. It asks
// this node for nothing, and a node that lies could serve another page: a lender who must rule that out keeps a copy, or uses xinlian-verify.
//
//go:embed page/verify.html
var VerifyPage []byte

// pagePolicy is the policy that the page carries, which allows its own script and style alone, and what only a header can say: that nobody frames it.
var pagePolicy = func() string {
	_, rest, _ := strings.Cut(string(VerifyPage), `http-equiv="Content-Security-Policy" content="`)
	policy, _, _ := strings.Cut(rest, `"`)
	return policy + "; frame-ancestors 'none'"
}()

func (c *call) verifyPage() error {
	h := c.w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	return c.answer(http.StatusOK, "text/html; charset=utf-8", VerifyPage)
}
