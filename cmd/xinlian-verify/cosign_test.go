package main

import "testing"

// TestWitnessForgets: what a witness does not remember any more it does not sign, nor anything older, and what it remembers stays in order.
func TestWitnessForgets(t *testing.T) {
	s := witnessState{ChainID: "test"}
	at := func(height int64) cosigned {
		return cosigned{Height: height, Hash: []byte{byte(height), byte(height >> 8)}}
	}
	for i := range int64(cosignedMax) { // every second height, the newest first
		if err := s.add(at(2 * (cosignedMax - i))); err != nil {
			t.Fatal(err)
		}
	}
	if s.Floor != 0 || s.Height != 2*cosignedMax || len(s.Cosigned) != cosignedMax {
		t.Fatal(s.Floor, s.Height, len(s.Cosigned))
	}
	if err := s.add(at(2*cosignedMax + 2)); err != nil {
		t.Fatal(err)
	}
	if s.Floor != 2 || s.Height != 2*cosignedMax+2 || len(s.Cosigned) != cosignedMax {
		t.Fatal(s.Floor, s.Height, len(s.Cosigned))
	}
	for _, height := range []int64{1, 2} {
		if s.add(at(height)) == nil {
			t.Errorf("height %d is signed, which is forgotten", height)
		}
	}
	if err := s.add(at(4)); err != nil { // known
		t.Error(err)
	}
	other := at(4)
	other.Hash = []byte{1}
	if s.add(other) == nil {
		t.Error("two headers at one height")
	}
	for i := 1; i < len(s.Cosigned); i++ {
		if s.Cosigned[i].Height <= s.Cosigned[i-1].Height {
			t.Fatal("out of order")
		}
	}
}
