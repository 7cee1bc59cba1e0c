package receipt

import "go.etcd.io/bbolt"

// AtStep calls fn between the writes of a replacement until the function that it gives is called.
func AtStep(fn func(step string)) (end func()) {
	testingOnlyAtStep = fn
	return func() { testingOnlyAtStep = func(string) {} }
}

// PageLeaves and PageScan set the bounds of a page until the function that they give is called.
func PageLeaves(n int) (end func()) { return set(&pageLeaves, n) }
func PageScan(n int) (end func())   { return set(&pageScan, n) }

func set(bound *int, n int) (end func()) {
	was := *bound
	*bound = n
	return func() { *bound = was }
}

// Remembered is how many requests the journal remembers.
func (j *Journal) Remembered() (n int) {
	_ = j.db.View(func(tx *bbolt.Tx) error { n = tx.Bucket(bAnswered).Stats().KeyN; return nil })
	return n
}
