package gateway

import (
	"net/http"

	cmtjson "github.com/cometbft/cometbft/libs/json"
)

// What a replay needs, in the engine's own encoding: auditors take it from any node and believe none. Blocks hold every transaction, and with
// them every record that there ever was, so these routes are for members and warranted auditors.

// engineType is the media type of the engine's protobuf messages.
func engineType(message string) string {
	return `application/x-protobuf; messageType="tendermint.types.` + message + `"`
}

const protobufType = "application/x-protobuf"

// writeEngine writes a message of the engine: its protobuf bytes, or with Accept: application/json the engine's JSON.
func (c *call) writeEngine(message string, encode func() ([]byte, error), view any) error {
	kind, err := c.accepts(protobufType, jsonType)
	if err != nil {
		return err
	}
	c.w.Header().Add("Vary", "Accept")
	mediaType := engineType(message)
	if kind == jsonType {
		mediaType, encode = jsonType, func() ([]byte, error) { return cmtjson.Marshal(view) }
	}
	raw, err := encode()
	if err != nil {
		return internal(err)
	}
	return c.answer(http.StatusOK, mediaType, raw)
}

func (c *call) genesis() error {
	raw, err := c.g.b.GenesisJSON()
	if err != nil {
		return internal(err)
	}
	return c.answer(http.StatusOK, jsonType, raw)
}

func (c *call) auditBlock() error {
	height, err := c.auditHeight()
	if err != nil {
		return err
	}
	b := c.g.b.Blocks.Block(height)
	if b == nil {
		return refuse(http.StatusNotFound, ErrNotHeld)
	}
	return c.writeEngine("Block", func() ([]byte, error) {
		p, err := b.ToProto()
		if err != nil {
			return nil, err
		}
		return p.Marshal()
	}, b)
}

func (c *call) auditCommit() error {
	height, err := c.auditHeight()
	if err != nil {
		return err
	}
	m := c.g.b.Blocks.Commit(height)
	if m == nil {
		return refuse(http.StatusNotFound, ErrNotHeld)
	}
	return c.writeEngine("Commit", func() ([]byte, error) { return m.ToProto().Marshal() }, m)
}

func (c *call) auditValidators() error {
	height, err := c.auditHeight()
	if err != nil {
		return err
	}
	vs, err := c.g.b.Blocks.Validators(height)
	if err != nil || vs == nil {
		return refuse(http.StatusNotFound, ErrNotHeld)
	}
	return c.writeEngine("ValidatorSet", func() ([]byte, error) {
		p, err := vs.ToProto()
		if err != nil {
			return nil, err
		}
		return p.Marshal()
	}, vs)
}

// auditHeight bounds heights by what this node has committed. A block below that which is not there is not held: pruned, or older than the snapshot
// that the node began with.
func (c *call) auditHeight() (int64, error) {
	height, err := c.height()
	if err != nil {
		return 0, err
	}
	if height > c.g.b.App.Status().Height {
		return 0, refuse(http.StatusNotFound, ErrHeight)
	}
	return height, nil
}
