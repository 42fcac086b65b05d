package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// apiChanges are what changed in the APIs, by module path.
type apiChanges map[string]apidiff.Report

func (c apiChanges) incompatible() bool {
	for _, report := range c {
		for _, change := range report.Changes {
			if !change.Compatible {
				return true
			}
		}
	}
	return false
}

// String returns the changes as text, one a line.
func (c apiChanges) String() string {
	var b strings.Builder
	for modulePath, report := range c {
		fmt.Fprintln(&b, modulePath)
		_ = report.Text(&b)
	}
	return b.String()
}

// apiChanges compares each published module with the last release of it.
func (r *repo) apiChanges(last string) (changes apiChanges, err error) {
	tmp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	old := filepath.Join(tmp, "old")
	if _, err := r.git("worktree", "add", "--detach", old, last); err != nil {
		return nil, err
	}
	defer func() {
		if _, e := r.git("worktree", "remove", "--force", old); err == nil {
			err = e
		}
	}()
	changes = apiChanges{}
	for _, m := range r.published() {
		if _, err := r.git("rev-parse", "--verify", "--quiet", "refs/tags/"+m.tag(last)); err != nil {
			continue // The module is new.
		}
		before, err := api(filepath.Join(old, filepath.FromSlash(m.dir)), m.path())
		if err != nil {
			return nil, err
		}
		after, err := api(r.path(m, ""), m.path())
		if err != nil {
			return nil, err
		}
		if report := apidiff.ModuleChanges(before, after); len(report.Changes) > 0 {
			changes[m.path()] = report
		}
	}
	return changes, nil
}

// api loads the packages of a module that others can import.
func api(dir, modulePath string) (*apidiff.Module, error) {
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile,
		Dir:  dir,
	}, "./...")
	if err != nil {
		return nil, err
	}
	m := &apidiff.Module{Path: modulePath}
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		if pkg.Name != "main" && !strings.Contains(pkg.PkgPath+"/", "/internal/") {
			m.Packages = append(m.Packages, pkg.Types)
		}
	}
	return m, nil
}
