package main

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// A page is a Markdown file.
type page struct {
	links    []string
	headings map[string]bool // as the anchors that GitHub gives them
}

func readPage(name string) (page, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return page{}, err
	}
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	p := page{headings: map[string]bool{}}
	err = ast.Walk(markdown.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.AutoLink:
			p.links = append(p.links, string(n.URL(source)))
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				p.headings[string(id.([]byte))] = true
			}
		}
		return ast.WalkContinue, nil
	})
	return p, err
}

// checkPage checks the links of a Markdown file.
func checkPage(dir, name string, docs documentation) (problems []string, checked int, err error) {
	p, err := readPage(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, 0, err
	}
	for _, link := range p.links {
		if problem := checkLink(dir, name, link, docs); problem != "" {
			problems = append(problems, fmt.Sprintf("%s: %s: %s", name, link, problem))
		}
	}
	return problems, len(p.links), nil
}

// checkLink returns what is wrong with a link of a Markdown file, or "".
func checkLink(dir, from, link string, docs documentation) string {
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return "it is not a URL"
	case u.Host == "pkg.go.dev":
		return docs.checkURL(u)
	case u.Scheme == "https" && u.Host != "", u.Hostname() == "127.0.0.1":
		return ""
	case u.Scheme != "" || u.Host != "" || path.IsAbs(u.Path):
		return "it is neither https nor relative"
	}
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	name := filepath.Join(dir, filepath.FromSlash(target))
	if _, err := os.Stat(name); err != nil {
		return "there is no such file"
	}
	if path.Base(target) == "doc.go" {
		return "documentation is read on pkg.go.dev"
	}
	if u.Fragment == "" {
		return ""
	}
	if !strings.HasSuffix(target, ".md") {
		return "only a Markdown file has headings"
	}
	if p, err := readPage(name); err != nil || !p.headings[u.Fragment] {
		return "there is no such heading"
	}
	return ""
}
