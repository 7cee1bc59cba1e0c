package app

import (
	"crypto/sha256"
	"fmt"
	"testing"

	cmttypes "github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	pb "github.com/xinlian-ledger/xinlian/proto/xinlian/v1"
)

// waits makes a transaction as the pool sees it. The same number is the same transaction, whatever its signature.
func waits(number, signature byte, size int, expiresAt int64) *parsed {
	raw := make([]byte, size)
	raw[0], raw[1] = number, signature
	return &parsed{raw: raw, hash: sha256.Sum256(raw), id: [32]byte{number}, body: &pb.Body{ExpiresAt: expiresAt}}
}

// TestPendingAlive: what the pool calls alive was let in, has not expired, and was in no block since, under this signature or another.
func TestPendingAlive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPending(0)
		in := map[[32]byte]*parsed{} // let in, and in no block that named it by its bytes
		executed := map[[32]byte]bool{}
		now := int64(0)
		pick := func() *parsed {
			n, s := byte(rapid.IntRange(0, 2).Draw(t, "tx")), byte(rapid.IntRange(0, 1).Draw(t, "signature"))
			return waits(n, s, 10+int(n), int64(3+n))
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch tx := pick(); rapid.IntRange(0, 3).Draw(t, "op") {
			case 0: // the gate lets in what is not executed and not expired
				if !executed[tx.id] && tx.body.ExpiresAt >= now {
					p.add(tx, "m", 1000)
					in[tx.hash] = tx
				}
			case 1:
				p.drop(tx.hash)
				delete(in, tx.hash)
			case 2: // a block with this transaction, if it may be executed
				if !executed[tx.id] && tx.body.ExpiresAt >= now {
					p.committed([][32]byte{tx.hash}, [][32]byte{tx.id}, now)
					executed[tx.id] = true
					delete(in, tx.hash)
				}
			case 3:
				now++
				p.committed(nil, nil, now)
			}
			number, waiting, held := 0, int64(0), int64(0)
			for n := byte(0); n < 3; n++ {
				for s := byte(0); s < 2; s++ {
					tx := waits(n, s, 10+int(n), int64(3+n))
					may := in[tx.hash] != nil && !executed[tx.id] && tx.body.ExpiresAt >= now
					if p.alive(tx.hash, now) && !may {
						t.Fatalf("transaction %d under signature %d is alive; executed %v, now %d", n, s, executed[tx.id], now)
					}
					if in[tx.hash] != nil && tx.body.ExpiresAt >= now {
						number++
						waiting += int64(len(tx.raw))
					}
					if d := p.decoded(tx.hash); d != nil {
						if d.hash != tx.hash {
							t.Fatal("another transaction's decoded form")
						}
						held += int64(len(tx.raw))
					}
				}
			}
			if p.share["m"] != (share{number, waiting}) || p.held != held {
				t.Fatalf("%d with %d bytes wait and %d are held, the pool counts %+v and %d", number, waiting, held, p.share["m"], p.held)
			}
		}
	})
}

// TestPendingHoldsTwoBlocks: beyond two blocks' worth transactions wait in their encoded form alone.
func TestPendingHoldsTwoBlocks(t *testing.T) {
	t.Parallel()
	p := newPending(0)
	const size = pb.TxBytesMax
	for n := range byte(decodedBytes/size + 2) {
		tx := waits(n, 0, size, 1)
		if !p.add(tx, "m", 1<<40) {
			t.Fatal("refused")
		}
		if held := p.decoded(tx.hash) != nil; held != (int(n) < decodedBytes/size) {
			t.Errorf("transaction %d: decoded form held: %v", n, held)
		}
	}
	p.committed([][32]byte{waits(0, 0, size, 1).hash}, nil, 1)
	late := waits(200, 0, size, 1)
	p.add(late, "m", 1<<40)
	if p.decoded(late.hash) == nil {
		t.Error("a block has left and there is no room for the next transaction")
	}
}

// TestPendingPlaces: members that send small transactions as fast as they can leave room for who comes next.
func TestPendingPlaces(t *testing.T) {
	t.Parallel()
	const places = 5000 // mempool.size
	small := func(member string, n int) *parsed {
		raw := fmt.Appendf(nil, "%s %d", member, n)
		hash := sha256.Sum256(raw)
		return &parsed{raw: raw, hash: hash, id: hash, body: &pb.Body{ExpiresAt: 1}}
	}
	p, took := newPending(places), 0
	for m := range 10 { // one after the other takes all that it may
		member, n := fmt.Sprint("member ", m), 0
		for p.add(small(member, n), member, 1<<20) {
			n++
		}
		if want := (places - took + 1) / 2; n != want {
			t.Fatalf("member %d finds %d places where %d were free, want %d", m, n, places-took, want)
		}
		took += n
	}
	// What leaves makes room for who has the least.
	first := small("member 0", 0)
	p.committed([][32]byte{first.hash}, [][32]byte{first.id}, 0)
	if p.add(small("member 0", places), "member 0", 1<<20) {
		t.Error("who has the most has the place that became free")
	}
	if !p.add(small("nobody yet", 0), "nobody yet", 1<<20) {
		t.Error("who has nothing finds no room")
	}
	p.committed(nil, nil, 2) // all expired
	if len(p.share) != 0 || !p.add(small("member 0", 1), "member 0", 1<<20) {
		t.Errorf("%d members have a share of an empty pool", len(p.share))
	}
}

// TestProtoSize compares with the engine's own count.
func TestProtoSize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 127, 128, 350, 16383, 16384, 2097151, 2097152} {
		tx := make([]byte, n)
		if got, want := protoSize(tx), cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{tx}); got != want {
			t.Errorf("%d bytes: %d, want %d", n, got, want)
		}
	}
}
