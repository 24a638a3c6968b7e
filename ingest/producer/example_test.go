package producer_test

import (
	"context"
	"fmt"
	"time"

	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/schemas"
)

func Example() {
	p, err := producer.New(producer.Config{Brokers: []string{"127.0.0.1:9092"}, Topic: "events", Worker: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer p.Close(ctx)

	err = p.Publish(ctx, schemas.Event{
		Type: "message.created", GuildID: "81384788765712384", ChannelID: "381870553235193857", UserID: "5201",
		Content: "hello", HasContent: true, UserName: "ada",
	})
	if err == nil {
		err = p.Flush(ctx) // the broker has it
	}
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleKey() {
	fmt.Printf("%s\n", producer.Key(&schemas.Event{EventID: "9", Type: "message.deleted", MessageID: "8"}))
	// Output: 8
}
