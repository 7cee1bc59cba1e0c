package gateway

import (
	_ "embed"
	"net/http"
)

// OpenAPI is the description of the API that /openapi.json gives.
//
//go:embed openapi.json
var OpenAPI []byte

func (c *call) openapi() error {
	writeBytes(c.w, http.StatusOK, jsonType, OpenAPI)
	return nil
}
