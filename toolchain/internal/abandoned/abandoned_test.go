package abandoned

import (
	"os"
	"testing"
	"time"
)

func TestGoneIsSaidWhenTheReaderLeavesAndNotBefore(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	said := make(chan bool, 1)
	descriptor := int(writer.Fd())
	go func() { said <- gone(descriptor) }()
	select {
	case <-said:
		t.Fatal("said while the reader was there")
	case <-time.After(200 * time.Millisecond):
	}
	reader.Close()
	select {
	case was := <-said:
		if !was {
			t.Fatal("not said")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("not noticed")
	}
}
