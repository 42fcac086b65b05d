package stytchtest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What a server remembers is bounded, and it keeps the newest.
func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	r := record{}
	all := sessions{byToken: map[string]*session{}}
	const n = maxRecords + 2
	for i := range n {
		name := strconv.Itoa(i)
		r.addRequest(Request{Path: name})
		all.add(name, &session{token: name, expires: time.Now().Add(time.Hour)})
	}
	last := strconv.Itoa(n - 1)
	assert.LessOrEqual(t, len(r.requests), maxRecords)
	assert.Len(t, all.byToken, maxRecords)
	assert.Equal(t, last, r.requests[len(r.requests)-1].Path)
	assert.NotNil(t, all.find(sessionParams{SessionToken: last}, time.Now()))
	assert.Nil(t, all.find(sessionParams{SessionToken: "0"}, time.Now()))
}
