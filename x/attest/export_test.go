package attest

// Remembered is the number of blocks that v knows.
func (v *Verifier) Remembered() int { return len(v.known) }
