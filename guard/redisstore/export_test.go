package redisstore

import "time"

// SetClock makes a Store follow a clock of the test's, not the server's.
func (s *Store) SetClock(now func() time.Time) { s.now = func() int64 { return now().UnixMilli() } }
