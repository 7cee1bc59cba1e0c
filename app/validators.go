package app

import (
	"bytes"
	"fmt"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cryptoenc "github.com/cometbft/cometbft/crypto/encoding"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
	"github.com/xinlian-ledger/xinlian/x"
	"github.com/xinlian-ledger/xinlian/x/member"
)

// power is a validator of the consensus engine.
type power struct {
	key   []byte
	power int64
}

// validatorPowers reads who validates, by key.
func validatorPowers(r x.Reader) []power {
	var out []power
	for _, m := range member.Validators(r) {
		out = append(out, power{m.ValidatorKey, m.ValidatorPower})
	}
	slices.SortFunc(out, func(a, b power) int { return bytes.Compare(a.key, b.key) })
	return out
}

// validatorUpdates is the only producer of validator updates. The engine stops every node on an update that empties the set, names a key
// twice or removes one that is not in the set, so none of these can leave here: the difference of two sorted sets without doubles.
func validatorUpdates(before, after []power) ([]abci.ValidatorUpdate, error) {
	if slices.EqualFunc(before, after, func(a, b power) bool { return bytes.Equal(a.key, b.key) && a.power == b.power }) {
		return nil, nil
	}
	if len(after) == 0 || len(after) > pb.ValidatorsMax {
		return nil, fmt.Errorf("the block would leave %d validators", len(after))
	}
	var out []abci.ValidatorUpdate
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch c := compareHeads(before, after, i, j); {
		case c < 0:
			out = append(out, update(before[i].key, 0))
			i++
		case c > 0:
			out = append(out, update(after[j].key, after[j].power))
			j++
		default:
			if before[i].power != after[j].power {
				out = append(out, update(after[j].key, after[j].power))
			}
			i++
			j++
		}
		if j > 0 && j < len(after) && bytes.Equal(after[j-1].key, after[j].key) {
			return nil, fmt.Errorf("validator key %x stands twice", after[j].key)
		}
	}
	return out, nil
}

func compareHeads(before, after []power, i, j int) int {
	switch {
	case i == len(before):
		return 1
	case j == len(after):
		return -1
	}
	return bytes.Compare(before[i].key, after[j].key)
}

func update(key []byte, n int64) abci.ValidatorUpdate {
	pk, err := cryptoenc.PubKeyToProto(ed25519.PubKey(key))
	if err != nil {
		panic(err)
	}
	return abci.ValidatorUpdate{PubKey: pk, Power: n}
}

// sameValidators holds that the engine's genesis names the validators that the members have.
func sameValidators(r x.Reader, have []abci.ValidatorUpdate) error {
	var engine []power
	for _, v := range have {
		engine = append(engine, power{v.PubKey.GetEd25519(), v.Power})
	}
	slices.SortFunc(engine, func(a, b power) int { return bytes.Compare(a.key, b.key) })
	if !slices.EqualFunc(engine, validatorPowers(r), func(a, b power) bool { return bytes.Equal(a.key, b.key) && a.power == b.power }) {
		return fmt.Errorf("the validators of the genesis file are not those of its members")
	}
	return nil
}
