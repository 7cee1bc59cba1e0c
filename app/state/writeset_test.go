package state

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLastOfEach compares the sorted calls with a map: keys that are prefixes of others, with the zeros that fill the first bytes, come many times.
func TestLastOfEach(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		w := NewWriteSet()
		model := map[string]string{}
		for n := range rng.IntN(40) {
			key := bytes.Repeat([]byte{0}, 1+rng.IntN(10))
			key[rng.IntN(len(key))] = byte(rng.IntN(2))
			if rng.IntN(4) == 0 {
				w.Delete(key)
				model[string(key)] = "deleted"
			} else {
				w.Set(key, []byte{byte(n)})
				model[string(key)] = fmt.Sprint(n)
			}
		}
		var want, have []string
		for _, key := range slices.Sorted(maps.Keys(model)) {
			want = append(want, fmt.Sprintf("%x %s", key, model[key]))
		}
		for _, e := range lastOfEach(w.rows) {
			value := "deleted"
			if !e.delete {
				value = fmt.Sprint(e.value[0])
			}
			have = append(have, fmt.Sprintf("%x %s", e.key[1:], value))
		}
		if !slices.Equal(have, want) {
			t.Fatalf("%v\nmodel\n%v", have, want)
		}
	}
}
