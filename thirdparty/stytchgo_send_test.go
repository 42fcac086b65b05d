package thirdparty_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// refusals is a context's key for how many dials are yet refused, an *atomic.Int64.
type refusals struct{}

// TestAtMostOnce has the client send on an atmostonce.Transport while many of its
// requests meet a fault. The SMS are counted where they go out.
func TestStytchGoSend(t *testing.T) {
	t.Parallel()
	const members = 5 // for each fault
	for _, tt := range []struct {
		name     string
		refused  int64 // dials
		fault    stytchtest.Fault
		deadline time.Duration

		sms             int
		well, maybeSent bool
	}{
		{name: "none", sms: 1, well: true},
		{name: "a refused dial", refused: 1, sms: 1, well: true},
		{name: "nothing but refused dials", refused: 100},
		{name: "reset before", fault: stytchtest.Fault{Reset: true}, maybeSent: true},
		{name: "reset after", fault: stytchtest.Fault{Reset: true, Processed: true}, sms: 1, maybeSent: true},
		{name: "refused dial, reset after", refused: 1, fault: stytchtest.Fault{Reset: true, Processed: true}, sms: 1, maybeSent: true},
		{name: "429", fault: stytchtest.Fault{StatusCode: 429}, maybeSent: true},
		{name: "503 before", fault: stytchtest.Fault{StatusCode: 503}, maybeSent: true},
		{name: "503 after", fault: stytchtest.Fault{StatusCode: 503, Processed: true}, sms: 1, maybeSent: true},
		{name: "a gateway's 408", fault: stytchtest.RequestTimeout(), sms: 1, maybeSent: true},
		{name: "cut answer", fault: stytchtest.Fault{Truncate: true}, sms: 1, maybeSent: true},
		{name: "slow answer", fault: stytchtest.Fault{Delay: time.Hour}, deadline: 300 * time.Millisecond, sms: 1, maybeSent: true},
	} {
		for _, needsBody := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/NeedsBody=%v", tt.name, needsBody), func(t *testing.T) {
				t.Parallel()
				s := stytchtest.NewTLSServer()
				t.Cleanup(s.Close)
				base := s.HTTPClient().Transport.(*http.Transport)
				base.DisableKeepAlives = true // Each request dials.
				dial := base.DialContext
				base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					if n, ok := ctx.Value(refusals{}).(*atomic.Int64); ok && n.Add(-1) >= 0 {
						address = "127.0.0.1:1" // Nobody listens there.
					}
					return dial(ctx, network, address)
				}
				ctx, cancel := context.WithCancel(t.Context())
				c, err := newStytchGo(ctx, s.ProjectID, s.Secret, s.URL, &http.Client{
					Transport: &atmostonce.Transport{Base: base, NeedsBody: needsBody},
				})
				require.NoError(t, err)
				t.Cleanup(func() { cancel(); c.keys.EndBackground() })
				for i := range members {
					m, err := s.AddMember(stytchtest.Member{MemberID: fmt.Sprintf("member-%d", i), MFAPhoneNumber: "+12025550106"})
					require.NoError(t, err)
					fault := tt.fault
					fault.MemberID = m.MemberID
					s.Fail(fault)
					refused := new(atomic.Int64)
					refused.Store(tt.refused)
					ctx := context.WithValue(t.Context(), refusals{}, refused)
					if tt.deadline > 0 {
						c, cancel := context.WithTimeout(ctx, tt.deadline)
						defer cancel()
						ctx = c
					}
					var sent struct{}
					err = c.post(ctx, "/v1/b2b/otps/sms/send", fields{"organization_id": s.OrganizationID, "member_id": m.MemberID}, &sent)
					if tt.well {
						assert.NoError(t, err)
					} else if assert.Error(t, err) {
						assert.Equal(t, tt.maybeSent, atmostonce.MaybeSent(err), "%v", err)
					}
					assert.Len(t, s.SMSTo(m.MemberID), tt.sms, "%v", err)
				}
			})
		}
	}
}
