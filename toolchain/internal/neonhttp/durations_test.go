package neonhttp

import (
	"slices"
	"testing"
	"time"
)

// looksOf returns when looks come until operations end that take so long.
func looksOf(e expectation, took time.Duration) (looks []time.Duration) {
	for waited := time.Duration(0); waited < took; {
		waited += e.pause(waited)
		looks = append(looks, waited)
	}
	return looks
}

func TestOfAnUnknownKindAFewLooksComeBeforeNeonsUsualTime(t *testing.T) {
	t.Parallel()
	got := looksOf(expectation{end: 8 * time.Second}, 8*time.Second)
	if !slices.Equal(got, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}) {
		t.Errorf("%v", got)
	}
}

func TestOfAKnownKindTheFirstLookComesWhenItShouldHaveEnded(t *testing.T) {
	t.Parallel()
	known := expectation{end: 8 * time.Second, learnt: true}
	for took, want := range map[time.Duration][]time.Duration{
		8 * time.Second:  {8 * time.Second},
		10 * time.Second: {8 * time.Second, 9 * time.Second, 10 * time.Second},
		30 * time.Second: {8 * time.Second, 9 * time.Second, 10 * time.Second, 12 * time.Second, 16 * time.Second, 24 * time.Second, 40 * time.Second},
	} {
		if got := looksOf(known, took); !slices.Equal(got, want) {
			t.Errorf("%v: %v", took, got)
		}
	}
}

func TestDurationsAreLearntFromTheNewestMost(t *testing.T) {
	t.Parallel()
	var u usual
	for _, seconds := range []time.Duration{8, 8, 8, 8} {
		u = u.with(seconds * time.Second)
	}
	if u.Mean != 8 || u.Deviation > 0.2 {
		t.Errorf("%+v", u)
	}
	u = u.with(12 * time.Second)
	if u.Mean != 9 || u.Deviation < 1 {
		t.Errorf("%+v", u)
	}
	for _, other := range []time.Duration{time.Second, time.Minute} {
		if got := u.with(other); got.Mean != other.Seconds() {
			t.Errorf("%+v", got)
		}
	}
}
