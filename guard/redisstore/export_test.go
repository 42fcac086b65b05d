package redisstore

import "time"

// SetClock makes a store follow a clock of the test's, not the server's.
func SetClock(s any, now func() time.Time) {
	s.(*store).now = func() int64 { return now().UnixMilli() }
}
