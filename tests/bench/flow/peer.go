// SPDX-License-Identifier: MIT

// The same work with goroutines, on one processor. Go has no halt: the tasks
// are told by a context, and each of five frames has a deferred call.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

const (
	parkN        = 1000000
	spawnN       = 300000
	haltN        = 40000
	memoryTasks  = 10000
	signalValues = 1000000
)

// Processor time, as in the other programs: a busy machine counts less.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func ns(began int64, n int) float64 {
	return float64(cpu()-began) / float64(n)
}

func park(n int) float64 {
	a, b := make(chan int), make(chan int)
	began := cpu()
	go func() {
		for range a {
			b <- 1
		}
		close(b)
	}()
	for i := 0; i < n/2; i++ {
		a <- 1
		<-b
	}
	close(a)
	<-b
	return ns(began, n)
}

func spawn(n int) float64 {
	began := cpu()
	for i := 0; i < n; i++ {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	}
	return ns(began, n)
}

var cleaned int

func clean() { cleaned++ }

//go:noinline
func frame(ctx context.Context, depth int) {
	defer clean()
	if depth > 1 {
		frame(ctx, depth-1)
		return
	}
	<-ctx.Done()
}

func halt(tasks int) float64 {
	var took int64
	rounds := haltN / tasks
	for r := 0; r < rounds; r++ {
		cancels := make([]context.CancelFunc, tasks)
		dones := make([]chan struct{}, tasks)
		for i := range cancels {
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			cancels[i], dones[i] = cancel, done
			go func() {
				frame(ctx, 5)
				close(done)
			}()
		}
		runtime.Gosched()
		began := cpu()
		for i := range cancels {
			cancels[i]()
			<-dones[i]
		}
		took += cpu() - began
	}
	return float64(took) / float64(rounds*tasks)
}

func resident() int {
	runtime.GC()
	f, err := os.Open("/proc/self/smaps_rollup")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib int
		if strings.HasPrefix(s.Text(), "Rss:") {
			fmt.Sscanf(s.Text(), "Rss: %d kB", &kib)
			return kib * 1024
		}
	}
	panic("no Rss")
}

func memory(depth int) float64 {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := func(n int) {
		for i := 0; i < n; i++ {
			go frame(ctx, depth)
		}
		runtime.Gosched()
	}
	start(100)
	before := resident()
	start(memoryTasks)
	return float64(resident()-before) / memoryTasks
}

func signal(subscribers int) float64 {
	var all sync.WaitGroup
	chans := make([]chan int, subscribers)
	for i := range chans {
		c := make(chan int, 4)
		chans[i] = c
		go func() {
			for range c {
				all.Done()
			}
		}()
	}
	send := func(values int) {
		for v := 0; v < values; v++ {
			all.Add(subscribers)
			for _, c := range chans {
				c <- v
			}
			all.Wait()
		}
	}
	values := signalValues / subscribers
	send(values/10 + 1)
	began := cpu()
	send(values)
	return ns(began, values*subscribers)
}

func main() {
	runtime.GOMAXPROCS(1)
	r := -1.0
	switch os.Args[1] {
	case "park":
		park(parkN / 10)
		r = park(parkN)
	case "spawn":
		spawn(spawnN / 10)
		r = spawn(spawnN)
	case "halt-50":
		r = halt(50)
	case "halt-1000":
		r = halt(1000)
	case "memory":
		r = memory(1)
	case "memory-deep":
		r = memory(5)
	case "signal-1000":
		r = signal(1000)
	case "signal-10000":
		r = signal(10000)
	default:
		os.Exit(2)
	}
	fmt.Printf("%.1f\n", r)
}
