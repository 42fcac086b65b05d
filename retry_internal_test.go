package stytchb2b

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// next decides without HTTP: each row changes one thing of a turn that is followed
// by another attempt, or of one that is not.
func TestNext(t *testing.T) {
	t.Parallel()
	unconnected := turn{attempts: 1, outcome: OutcomeNotApplied, temporary: true, retryAfter: -1, left: 10 * time.Second, room: time.Second}
	limited := unconnected
	limited.answered, limited.limited = true, true
	broken := unconnected
	broken.outcome, broken.repeatable = OutcomeUnknown, true
	unknowns := RetryPolicy{RetryUnknown: true}
	for _, tc := range []struct {
		name   string
		policy RetryPolicy
		turn   turn
		change func(*turn)
		again  bool
		least  time.Duration
		most   time.Duration
	}{
		{"no connection", RetryPolicy{}, unconnected, func(*turn) {}, true, 100 * time.Millisecond, 200 * time.Millisecond},
		{"the second attempt", RetryPolicy{}, unconnected, func(t *turn) { t.attempts = 2 }, true, 100 * time.Millisecond, 400 * time.Millisecond},
		{"the last attempt", RetryPolicy{}, unconnected, func(t *turn) { t.attempts = 3 }, false, 0, 0},
		{"what does not get better", RetryPolicy{}, unconnected, func(t *turn) { t.temporary = false }, false, 0, 0},
		{"just room", RetryPolicy{MaxBackoff: 1}, unconnected, func(t *turn) { t.left = time.Second + 1 }, true, 1, 1},
		{"no room", RetryPolicy{}, unconnected, func(t *turn) { t.left = time.Second - 1 }, false, 0, 200 * time.Millisecond},
		{"a refusal", RetryPolicy{}, unconnected, func(t *turn) { t.answered = true }, false, 0, 0},
		{"limited", RetryPolicy{}, limited, func(*turn) {}, true, time.Second, time.Second},
		{"limited, for two seconds", RetryPolicy{}, limited, func(t *turn) { t.retryAfter = 2 * time.Second }, true, 2 * time.Second, 2 * time.Second},
		{"limited, for no time", RetryPolicy{}, limited, func(t *turn) { t.retryAfter = 0 }, true, 100 * time.Millisecond, 200 * time.Millisecond},
		{"limited, for too long", RetryPolicy{}, limited, func(t *turn) { t.retryAfter = 6 * time.Second }, false, 0, 0},
		{"limited, for ever", RetryPolicy{MaxWait: math.MaxInt64}, limited, func(t *turn) { t.retryAfter = math.MaxInt64 }, false, math.MaxInt64, math.MaxInt64},
		{"limited, never to wait", RetryPolicy{MaxWait: -1}, limited, func(t *turn) { t.retryAfter = 0 }, false, 0, 0},
		{"unknown", RetryPolicy{}, broken, func(*turn) {}, false, 0, 0},
		{"unknown, to be repeated", unknowns, broken, func(*turn) {}, true, 100 * time.Millisecond, 200 * time.Millisecond},
		{"unknown, not repeatable", unknowns, broken, func(t *turn) { t.repeatable = false }, false, 0, 0},
		{"applied", unknowns, broken, func(t *turn) { t.outcome = OutcomeApplied }, false, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			turn := tc.turn
			tc.change(&turn)
			wait, again := tc.policy.withDefaults().next(turn)
			assert.Equal(t, tc.again, again)
			assert.GreaterOrEqual(t, wait, tc.least)
			assert.LessOrEqual(t, wait, tc.most)
		})
	}
}
