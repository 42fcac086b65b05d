package guard

import (
	"context"
	"time"
)

// A Store counts Sends. [NewMemoryStore] makes one for a single process, and
// package redisstore one that many share.
type Store interface {
	// Take counts one Send against each claim, and notes in Window when each
	// was counted; or, where one of them is full, against none, and returns its
	// index and how long it stays full. Where several are, it is the one that
	// stays so for longest. Without a full one the index is -1.
	Take(ctx context.Context, claims []Claim) (full int, wait time.Duration, err error)

	// Give takes back what one Take has counted. Windows that are over by then
	// stay as they are.
	Give(ctx context.Context, claims []Claim) error
}

// A Claim is one Send counted against one limit: at most N in a window, which
// begins with its first Send and lasts for Interval.
type Claim struct {
	Limit    string    // names the limit
	Subject  [2]string // what is counted: a member of an organization, a number
	N        int
	Interval time.Duration
	Window   int64 // set by Take, for Give: when the window ends, by the Store's clock
}
