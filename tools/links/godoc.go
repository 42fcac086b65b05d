package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/token"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/packages"
)

// documentation holds the packages of the repository by import path.
type documentation map[string]*pkgDoc

// A pkgDoc is the documentation of a package.
type pkgDoc struct {
	path, module string
	doc          *doc.Package
	anchors      map[string]bool // as pkg.go.dev names them
}

// load adds the packages of a module.
func (docs documentation) load(dir, module string) error {
	fset := token.NewFileSet()
	pkgs, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedModule,
		Dir:   filepath.Join(dir, filepath.FromSlash(module)),
		Fset:  fset,
		Tests: true, // for the examples
	}, "./...")
	if err != nil {
		return err
	}
	files := map[string][]*ast.File{}
	seen := map[string]bool{}
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return fmt.Errorf("%s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		importPath := strings.TrimSuffix(pkg.PkgPath, "_test")
		for _, file := range pkg.Syntax {
			name := fset.File(file.Package).Name()
			if strings.HasSuffix(pkg.ID, ".test") || seen[name] {
				continue
			}
			seen[name] = true
			files[importPath] = append(files[importPath], file)
		}
		if pkg.Module != nil && docs[importPath] == nil {
			docs[importPath] = &pkgDoc{path: importPath, module: pkg.Module.Path}
		}
	}
	for importPath, files := range files {
		p := docs[importPath]
		if p.doc, err = doc.NewFromFiles(fset, files, importPath); err != nil {
			return fmt.Errorf("%s: %w", importPath, err)
		}
		p.setAnchors()
	}
	return nil
}

func (p *pkgDoc) setAnchors() {
	p.anchors = map[string]bool{"": true, "section-documentation": true, "section-readme": true, "pkg-overview": true, "pkg-index": true, "pkg-examples": true}
	values := func(values []*doc.Value) {
		for _, v := range values {
			for _, name := range v.Names {
				p.anchors[name] = true
			}
		}
	}
	examples := func(of string, examples []*doc.Example) {
		for _, e := range examples {
			anchor := "example-" + of
			if of == "" {
				anchor = "example-package"
			}
			if e.Suffix != "" {
				// pkg.go.dev writes the suffix with a capital.
				anchor += "-" + strings.ToUpper(e.Suffix[:1]) + e.Suffix[1:]
			}
			p.anchors[anchor] = true
		}
	}
	functions := func(prefix string, functions []*doc.Func) {
		for _, f := range functions {
			p.anchors[prefix+f.Name] = true
			examples(prefix+f.Name, f.Examples)
		}
	}
	values(p.doc.Consts)
	values(p.doc.Vars)
	functions("", p.doc.Funcs)
	examples("", p.doc.Examples)
	for _, t := range p.doc.Types {
		p.anchors[t.Name] = true
		values(t.Consts)
		values(t.Vars)
		functions("", t.Funcs)
		functions(t.Name+".", t.Methods)
		examples(t.Name, t.Examples)
		for _, spec := range t.Decl.Specs {
			for _, name := range members(spec.(*ast.TypeSpec).Type) {
				p.anchors[t.Name+"."+name] = true
			}
		}
	}
}

// members returns the names of a struct's fields or an interface's methods.
func members(t ast.Expr) (names []string) {
	var fields *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return nil
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

// checkURL returns what is wrong with a link to pkg.go.dev, or "".
func (docs documentation) checkURL(u *url.URL) string {
	importPath := strings.Trim(u.Path, "/")
	if p := docs[importPath]; p != nil {
		if !p.anchors[u.Fragment] {
			return "the package has no such identifier or example"
		}
		return ""
	}
	for _, p := range docs {
		if strings.HasPrefix(importPath+"/", p.module+"/") {
			return "there is no such package"
		}
	}
	return ""
}

// bracketed is what looks like a doc link that is none: the name of an exported
// identifier, or of a package's.
var bracketed = regexp.MustCompile(`\[(\*?(?:[a-z][\w./-]*\.)?[A-Z]\w*(?:\.[A-Z]\w*)?|[a-z][\w.-]*(?:/[\w.-]+)+)\]`)

// check checks the doc links of all that the package's documentation shows.
func (p *pkgDoc) check(docs documentation) (problems []string, checked int) {
	if p.doc == nil {
		return nil, 0
	}
	one := func(where, text string) {
		parser := p.doc.Parser()
		problem := func(link, what string) {
			problems = append(problems, fmt.Sprintf("%s: %s: [%s]: %s", p.path, where, link, what))
		}
		visit(parser.Parse(text).Content, func(t comment.Text) {
			switch t := t.(type) {
			case comment.Plain:
				for _, m := range bracketed.FindAllStringSubmatch(string(t), -1) {
					problem(m[1], "it is not a link: nothing has that name")
				}
			case *comment.DocLink:
				checked++
				name := strings.TrimPrefix(t.Recv+"."+t.Name, ".")
				if t.ImportPath == "" {
					if !p.anchors[name] {
						problem(name, "the package has no such identifier")
					}
				} else if what := docs.checkURL(&url.URL{Path: t.ImportPath, Fragment: name}); what != "" {
					problem(strings.TrimSuffix(t.ImportPath+"."+name, "."), what)
				}
			case *comment.Link:
				checked++
				if u, err := url.Parse(t.URL); err != nil || u.Scheme != "https" {
					problem(t.URL, "it is not https")
				} else if u.Host == "pkg.go.dev" {
					if what := docs.checkURL(u); what != "" {
						problem(t.URL, what)
					}
				}
			}
		})
	}
	one("package", p.doc.Doc)
	values := func(values []*doc.Value) {
		for _, v := range values {
			one(v.Names[0], v.Doc)
		}
	}
	functions := func(prefix string, functions []*doc.Func) {
		for _, f := range functions {
			one(prefix+f.Name, f.Doc)
		}
	}
	values(p.doc.Consts)
	values(p.doc.Vars)
	functions("", p.doc.Funcs)
	for _, t := range p.doc.Types {
		one(t.Name, t.Doc)
		values(t.Consts)
		values(t.Vars)
		functions("", t.Funcs)
		functions(t.Name+".", t.Methods)
	}
	return problems, checked
}

// visit calls f for each text of the blocks, without headings and code.
func visit(blocks []comment.Block, f func(comment.Text)) {
	for _, block := range blocks {
		switch block := block.(type) {
		case *comment.Paragraph:
			for _, t := range block.Text {
				f(t)
			}
		case *comment.List:
			for _, item := range block.Items {
				visit(item.Content, f)
			}
		}
	}
}
