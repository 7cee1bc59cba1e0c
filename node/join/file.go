package join

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// headersBytesMax is far above two headers with the commits and sets of the largest consortium.
const headersBytesMax = 4 << 20

// WriteHeaders keeps in a file what a node that restores a snapshot of a height must know of the chain: headers and commits of that height and the next,
// and the validators of both and of the one after.
func WriteHeaders(ctx context.Context, path string, src Headers, height int64) error {
	var out []byte
	for h := height; h <= height+1; h++ {
		lb := types.LightBlock{}
		var err error
		if lb.SignedHeader, err = src.Signed(ctx, h); err != nil {
			return err
		}
		if lb.ValidatorSet, err = src.Validators(ctx, h); err != nil {
			return err
		}
		p, err := lb.ToProto()
		if err != nil {
			return err
		}
		if out, err = appendMessage(out, p); err != nil {
			return err
		}
	}
	set, err := src.Validators(ctx, height+2)
	if err != nil {
		return err
	}
	p, err := set.ToProto()
	if err != nil {
		return err
	}
	if out, err = appendMessage(out, p); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the headers: %w", err)
	}
	_, err = f.Write(out)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path) // a snapshot without headers says so; one with a part of them would be called damaged
		return fmt.Errorf("write the headers: %w", err)
	}
	return nil
}

func appendMessage(b []byte, m interface{ Marshal() ([]byte, error) }) ([]byte, error) {
	raw, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	return append(binary.AppendUvarint(b, uint64(len(raw))), raw...), nil
}

// fileHeaders is a file that WriteHeaders wrote.
type fileHeaders struct {
	signed map[int64]*types.SignedHeader
	sets   map[int64]*types.ValidatorSet
}

// ReadHeaders reads such a file.
func ReadHeaders(path string) (Headers, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > headersBytesMax {
		return nil, fmt.Errorf("%s has %d bytes, limit is %d", path, st.Size(), headersBytesMax)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	bad := fmt.Errorf("%s is damaged", path)
	var parts [][]byte
	for len(raw) > 0 {
		n, k := binary.Uvarint(raw)
		if k <= 0 || n > uint64(len(raw)-k) || len(parts) == 3 {
			return nil, bad
		}
		parts, raw = append(parts, raw[k:k+int(n)]), raw[k+int(n):]
	}
	if len(parts) != 3 {
		return nil, bad
	}
	f := &fileHeaders{map[int64]*types.SignedHeader{}, map[int64]*types.ValidatorSet{}}
	var height int64
	for _, part := range parts[:2] {
		p := new(cmtproto.LightBlock)
		if p.Unmarshal(part) != nil {
			return nil, bad
		}
		lb, err := types.LightBlockFromProto(p)
		if err != nil || lb.SignedHeader == nil || lb.Header == nil || lb.ValidatorSet == nil {
			return nil, bad
		}
		height = lb.Height
		f.signed[height], f.sets[height] = lb.SignedHeader, lb.ValidatorSet
	}
	p := new(cmtproto.ValidatorSet)
	if p.Unmarshal(parts[2]) != nil {
		return nil, bad
	}
	set, err := types.ValidatorSetFromProto(p)
	if err != nil {
		return nil, bad
	}
	f.sets[height+1] = set
	return f, nil
}

var errNoHeader = errors.New("the snapshot's headers are not of its height")

func (f *fileHeaders) Signed(_ context.Context, height int64) (*types.SignedHeader, error) {
	if h := f.signed[height]; h != nil {
		return h, nil
	}
	return nil, errNoHeader
}

func (f *fileHeaders) Validators(_ context.Context, height int64) (*types.ValidatorSet, error) {
	if s := f.sets[height]; s != nil {
		return s, nil
	}
	return nil, errNoHeader
}

// Stores is what a home's own stores say: the block store and the engine's state store.
type Stores struct {
	Block interface {
		LoadBlockMeta(height int64) *types.BlockMeta
		LoadBlockCommit(height int64) *types.Commit
		LoadSeenCommit(height int64) *types.Commit
	}
	State interface {
		LoadValidators(height int64) (*types.ValidatorSet, error)
	}
}

// Signed implements Headers.
func (s Stores) Signed(_ context.Context, height int64) (*types.SignedHeader, error) {
	meta, commit := s.Block.LoadBlockMeta(height), s.Block.LoadBlockCommit(height)
	if commit == nil {
		commit = s.Block.LoadSeenCommit(height)
	}
	if meta == nil || commit == nil {
		return nil, fmt.Errorf("block %d is not in this home", height)
	}
	return &types.SignedHeader{Header: &meta.Header, Commit: commit}, nil
}

// Validators implements Headers.
func (s Stores) Validators(_ context.Context, height int64) (*types.ValidatorSet, error) {
	return s.State.LoadValidators(height)
}
