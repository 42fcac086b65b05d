package main

import "sync"

// maxTries is how often a code can be entered: so few that nobody guesses one of
// six digits.
const maxTries = 5

// tries counts how often codes were entered since the last one was sent. It
// counts by Member: by browser, a new sign-in would come with new tries. It holds
// a number for each Member who has not come in yet, and these are all real ones,
// whom primary authentication knows.
type tries struct {
	mu       sync.Mutex
	byMember map[[2]string]int
}

// take counts one, and reports whether there was one left.
func (t *tries) take(member [2]string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byMember[member] >= maxTries {
		return false
	}
	if t.byMember == nil {
		t.byMember = map[[2]string]int{}
	}
	t.byMember[member]++
	return true
}

// forget begins anew.
func (t *tries) forget(member [2]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byMember, member)
}
