package subject

// CheckRoom is SUB-5 alone, for tests that have no whole state.
var CheckRoom = checkRoom
