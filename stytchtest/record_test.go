package stytchtest

import (
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What a server remembers is bounded, and the newest stays.
func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	r := record{changed: make(chan struct{})}
	all := sessions{byToken: map[string]*session{}}
	req := httptest.NewRequest("POST", "/", nil)
	const n = maxRecords + maxRecords/2
	for i := range n {
		name := strconv.Itoa(i)
		r.addSMS(SMS{Code: name})
		r.addRequest(time.Time{}, req, nil, i)
		all.add(name, &session{id: name, token: name, expires: time.Now().Add(time.Hour)})
	}
	assert.LessOrEqual(t, len(r.sms), maxRecords)
	assert.LessOrEqual(t, len(r.requests), maxRecords)
	assert.Len(t, all.byToken, maxRecords)
	assert.Equal(t, strconv.Itoa(n-1), r.sms[len(r.sms)-1].Code)
	assert.Equal(t, n-1, r.requests[len(r.requests)-1].StatusCode)
	assert.NotNil(t, all.find(sessionParams{SessionToken: strconv.Itoa(n - 1)}, time.Now()))
	assert.Nil(t, all.find(sessionParams{SessionToken: "0"}, time.Now()))
}
