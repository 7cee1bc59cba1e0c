package pb

// PackSets are the sets of the `pack` entry of the app hash, in the order in which their digests stand in its value.
var PackSets = [...]PackSet{PACK_SERIOUS, PACK_NEGATIVE}

// Word is the name of a set in routes, files and claims: serious or negative; empty for none.
func (s PackSet) Word() string {
	switch s {
	case PACK_SERIOUS:
		return "serious"
	case PACK_NEGATIVE:
		return "negative"
	}
	return ""
}

// Leaf is the value of every leaf in the tree of a set: no root of one set is that of another, unless both are empty.
func (s PackSet) Leaf() []byte { return []byte("xinlian/pack/" + s.Word() + "/v1") }

// Holds says whether a subject whose standing has these counts is a member. The claims no-serious and no-negative hold of those who are not: one
// function decides both.
func (s PackSet) Holds(n *StandingCounts) bool {
	switch s {
	case PACK_SERIOUS:
		return n.Serious != 0 || n.Lists != 0
	case PACK_NEGATIVE:
		return n.Penalties != 0 || n.Lists != 0 || n.Abnormal != 0 || n.Others != 0
	}
	return false
}
