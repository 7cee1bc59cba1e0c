// Package node runs one member of the network: the application, CometBFT in the same process, the HTTP server for the gateway's
// handler, metrics and a watchdog.
//
// It promises:
//   - transactions travel between members' mempools in the engine's own messages, votes do not wait for their checks, and none is lost where a peer
//     had no room or lost its own (gossip.go, room.go);
//   - short questions are answered where they are read, everything else by net/http; the answers are the same (lane.go);
//   - connections that do nothing leave file descriptors for the node's own files, and those of one peer room for others (bounded.go);
//   - every knob and its reason stands in one file (config.go), every metric in another (metrics.go);
//   - start order is state, engine, HTTP; stop order is HTTP, engine, state, so that nothing answers from a store that is closed;
//   - the process ends when it cannot go on (the disk failed, its own consensus routine stopped, or its peers are ahead and it
//     makes no progress), because CometBFT by itself would stay up with its consensus stopped. A network without a quorum is
//     nobody's fault: the node stays and /readyz says what power it sees.
//
// # Writes of a block, in order, and what a crash after each leaves
//
// Height h is being decided; "n/m/k" are the newest heights of the application's state, of the block store and of CometBFT's state.
//
//	own vote: privval file, then consensus log    h-1/h-1/h-1  the log is replayed; the same vote is signed again, another never
//	proposal, parts and votes: consensus log      h-1/h-1/h-1  the log is replayed; what is missing comes from peers
//	block and seen commit: block store            h-1/h/h-1    the block runs
//	end of height: consensus log                  h-1/h/h-1    the block runs
//	FinalizeBlock (no write)                      h-1/h/h-1    the block runs again: FinalizeBlock leaves nothing behind
//	its response: CometBFT's state store          h-1/h/h-1    the block runs again and the response is written over
//	Commit begins the steps of app/state (*Store).Commit, which go on beside what follows, up to the FinalizeBlock of h+1
//	  its marker came first                       h/h/h-1      CometBFT takes the saved response; the application is not asked
//	  CometBFT's state came first                 h-1/h/h      the block runs again, from the block store
//	  so did the next block                       h-1/h+1/h    both run
//	both                                          h/h/h        nothing to do
//	old blocks removed (state.retain_blocks)      h/h/h        the new base first; a few small rows about what went may stay for good
//	snapshot (state.snapshot_every)               h/h/h        a part of one is not offered
//
// A block waits in FinalizeBlock until the one before it is on disk, so a crash leaves the application at most one height behind CometBFT's state.
// The application is never ahead of the block store, because the block is stored before FinalizeBlock; it may be behind by any number
// of heights whose blocks are still there, as after a rollback or a restored copy. So no more blocks go than it has made durable
// (prune.go). TestFailPoints ends a node at each point between these that CometBFT has a name for, TestLongKill ends nodes at random.
//
// Events for subscribers are lost in a crash; nothing here depends on them: outcomes are written with the state.
//
// # Old blocks
//
// state.retain_blocks lets old blocks go, never those that evidence may still speak of (the chain's own parameters, in blocks and in
// time), that a restart needs, or that lie above the oldest snapshot on offer, and a few a commit. A network needs archives
// (0, the default) for those who audit from genesis: a pruned node answers E_NOT_HELD.
//
// # Disks
//
// Less free disk than watchdog.disk_free_mb ends the node with a word while there is room for one. A disk that is full at once ends the
// process without one. Either way the home starts when there is room.
//
// No rule is here: what a block does is decided in app and x.
//
// Trust: whoever runs the node can at most withhold its answers and its own votes. What it answers can be checked against the
// signatures of the others. Any peer that knows the chain is let in, so a firewall lets members' nodes alone reach the p2p port (p2p.laddr).
package node
