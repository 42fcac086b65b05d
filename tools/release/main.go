// Command release keeps the modules of this repository installable, and makes
// its releases. RELEASING.md says when to use which.
//
//	go -C tools run ./release check          # do modules, versions and changelog agree?
//	go -C tools run ./release pin [COMMIT]   # require our modules as of COMMIT, by default the last of main
//	go -C tools run ./release prepare X.Y.Z  # make the work tree that of a release
//	go -C tools run ./release tags           # print the tags of the release that HEAD is
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	r, err := openRepo()
	if err != nil {
		return err
	}
	switch {
	case command == "check" && len(args) == 0:
		return r.check()
	case command == "pin" && len(args) == 0:
		return r.pin(r.main)
	case command == "pin" && len(args) == 1:
		return r.pin(args[0])
	case command == "prepare" && len(args) == 1:
		return r.prepare("v" + args[0])
	case command == "tags" && len(args) == 0:
		return r.tags()
	}
	return fmt.Errorf("usage: release check | pin [COMMIT] | prepare X.Y.Z | tags")
}
