// Judges a dashboard by the types that Grafana publishes of its own: no field that it does not know, none missing.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	raw, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = new(dashboard.Dashboard).UnmarshalJSONStrict(raw)
	}
	if err != nil { // it can be one without a text, where nothing is wrong
		fmt.Println(err)
	}
}
