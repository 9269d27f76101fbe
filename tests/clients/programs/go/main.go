// go-redis with its defaults: go-redis PORT.
//
// It does rounds of everything that the library is used for, and prints one line for each round done, error
// met, and wrong answer seen, until standard input ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

type wrong struct{ text string }

func (w wrong) Error() string { return w.text }

func same(what string, got, wanted any) error {
	if !reflect.DeepEqual(got, wanted) {
		return wrong{fmt.Sprintf("%s: %v, not %v", what, got, wanted)}
	}
	return nil
}

var plus = redis.NewScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

type rounds struct {
	client   *redis.Client
	messages *redis.PubSub
}

func (r rounds) settled(ctx context.Context) error {
	time.Sleep(50 * time.Millisecond) // an application thinks
	got, err := r.client.Get(ctx, "settled").Result()
	if err != nil {
		return err
	}
	return same("a settled value", got, "here")
}

func (r rounds) values(ctx context.Context, text string) error {
	if err := r.client.Set(ctx, "go:k", text, 0).Err(); err != nil {
		return err
	}
	got, err := r.client.Get(ctx, "go:k").Result()
	if err != nil {
		return err
	}
	if err := same("GET", got, text); err != nil {
		return err
	}
	if err := r.client.HSet(ctx, "go:h", "a", text, "b", "x").Err(); err != nil {
		return err
	}
	all, err := r.client.HGetAll(ctx, "go:h").Result()
	if err != nil {
		return err
	}
	return same("HGETALL", all, map[string]string{"a": text, "b": "x"})
}

func (r rounds) pipelines(ctx context.Context, number int64, text string) error {
	var gets []*redis.StringCmd
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for place := 0; place < 10; place++ {
			pipe.Set(ctx, fmt.Sprintf("go:p%d", place), text, 0)
			gets = append(gets, pipe.Get(ctx, fmt.Sprintf("go:p%d", place)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, get := range gets {
		if err := same("pipeline", get.Val(), text); err != nil {
			return err
		}
	}
	var sum *redis.IntCmd
	_, err = r.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, "go:t", text, 0)
		sum = pipe.Incr(ctx, "go:t")
		return nil
	})
	if err != nil {
		return err
	}
	return same("EXEC", sum.Val(), number+1)
}

func (r rounds) watched(ctx context.Context, text string) error {
	err := r.client.Watch(ctx, func(tx *redis.Tx) error {
		if err := tx.Get(ctx, "go:w").Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, "go:w", text, 0)
			return nil
		})
		return err
	}, "go:w")
	if errors.Is(err, redis.TxFailedErr) {
		return nil // the usual answer to which is to try again
	}
	return err
}

func (r rounds) script(ctx context.Context) error {
	before, err := plus.Run(ctx, r.client, []string{"go:sum"}, 0).Int64()
	if err != nil {
		return err
	}
	after, err := plus.Run(ctx, r.client, []string{"go:sum"}, 2).Int64()
	if err != nil {
		return err
	}
	return same("script", after, before+2)
}

func (r rounds) job(ctx context.Context, text string) error {
	if err := r.client.HSet(ctx, "go:job:"+text, "payload", text).Err(); err != nil {
		return err
	}
	if err := r.client.RPush(ctx, "go:jobs", text).Err(); err != nil {
		return err
	}
	popped, err := r.client.BLPop(ctx, 5*time.Second, "go:jobs").Result()
	if err != nil {
		return err
	}
	data, err := r.client.HGet(ctx, "go:job:"+popped[1], "payload").Result()
	if err != nil {
		return wrong{"the job's data: " + err.Error()}
	}
	return same("the job's data", data, popped[1])
}

func (r rounds) message(ctx context.Context, text string) error {
	receivers, err := r.client.Publish(ctx, "go:news", text).Result()
	if err != nil || receivers == 0 {
		return err
	}
	timeout := time.After(2 * time.Second) // one that was told while nobody listened is not told again
	for {
		select {
		case message := <-r.messages.Channel():
			if message.Payload == text {
				return nil
			}
		case <-timeout:
			return nil
		}
	}
}

func (r rounds) all(ctx context.Context, number int64) error {
	text := strconv.FormatInt(number, 10)
	steps := []func() error{
		func() error { return r.settled(ctx) },
		func() error { return r.values(ctx, text) },
		func() error { return r.pipelines(ctx, number, text) },
		func() error { return r.watched(ctx, text) },
		func() error { return r.script(ctx) },
		func() error { return r.job(ctx, text) },
		func() error { return r.message(ctx, text) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	var over atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		over.Store(true)
	}()
	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + os.Args[1]})
	r := rounds{client, client.Subscribe(ctx, "go:news")}
	done := 0
	for number := int64(1); !over.Load(); number++ {
		err := r.all(ctx, number)
		text := strings.Join(strings.Fields(fmt.Sprint(err)), " ")
		switch {
		case err == nil:
			done++
			fmt.Println("round", done)
		case errors.As(err, &wrong{}):
			fmt.Println("wrong", text)
		default:
			fmt.Println("error", text)
		}
	}
	_ = client.Close()
}
