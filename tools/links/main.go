// Command links checks that the links of the repository's Markdown files and of
// its documentation go somewhere.
//
//	go -C tools run ./links
//
// A file that is linked must be there, and a heading; so must the package and the
// identifier of a link to pkg.go.dev, if they are ours, and what a doc link in
// [brackets] names. Addresses of others are not asked.
package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "links: this is not a git repository:", err)
		os.Exit(1)
	}
	problems, checked, err := check(strings.TrimSpace(string(top)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "links:", err)
		os.Exit(1)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
	fmt.Println(checked, "links go somewhere")
}

// check returns what is wrong in a repository, and how many links it looked at.
func check(dir string) (problems []string, checked int, err error) {
	out, err := exec.Command("git", "-C", dir, "ls-files", "go.mod", "*/go.mod", "*.md").Output()
	if err != nil {
		return nil, 0, err
	}
	docs := documentation{}
	var pages []string
	for _, name := range strings.Fields(string(out)) {
		if strings.HasSuffix(name, ".md") {
			pages = append(pages, name)
		} else if err := docs.load(dir, strings.TrimSuffix(name, "go.mod")); err != nil {
			return nil, 0, err
		}
	}
	for _, importPath := range slices.Sorted(maps.Keys(docs)) {
		p, n := docs[importPath].check(docs)
		problems, checked = append(problems, p...), checked+n
	}
	for _, name := range pages {
		p, n, err := checkPage(dir, name, docs)
		if err != nil {
			return nil, 0, err
		}
		problems, checked = append(problems, p...), checked+n
	}
	return problems, checked, nil
}
