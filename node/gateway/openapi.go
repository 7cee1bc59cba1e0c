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
	return c.answer(http.StatusOK, jsonType, OpenAPI)
}
