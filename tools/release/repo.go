package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// A repo is the clone that the command runs in.
type repo struct {
	dir     string
	main    string // what to call the last commit of main that this clone knows
	modules []*mod
}

// A mod is a module of the repository.
type mod struct {
	dir       string // relative to the repository's, with slashes
	published bool
	file      *modfile.File
}

func openRepo() (*repo, error) {
	top, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	r := &repo{dir: top, main: "origin/main"}
	if shallow, err := r.git("rev-parse", "--is-shallow-repository"); err != nil || shallow == "true" {
		return nil, errors.Join(err, errors.New("this is a shallow clone; get its history with: git fetch --unshallow --tags"))
	}
	if _, err := r.git("rev-parse", "--verify", "--quiet", r.main); err != nil {
		r.main = "HEAD"
	}
	return r, r.readModules()
}

// readModules reads .ci/modules and each go.mod that it lists.
func (r *repo) readModules() error {
	list, err := os.ReadFile(filepath.Join(r.dir, ".ci/modules"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(list)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 || fields[1] != "published" && fields[1] != "internal" {
			return fmt.Errorf(".ci/modules: %q is not a directory and a kind, published or internal", strings.TrimSpace(line))
		}
		m := &mod{dir: fields[0], published: fields[1] == "published"}
		name := r.path(m, "go.mod")
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if m.file, err = modfile.Parse(name, text, nil); err != nil {
			return err
		}
		r.modules = append(r.modules, m)
	}
	if len(r.modules) == 0 || r.modules[0].dir != "." {
		return errors.New(`.ci/modules: the first line must be ". published"`)
	}
	return nil
}

// published returns the modules that a release tags.
func (r *repo) published() []*mod {
	return slices.DeleteFunc(slices.Clone(r.modules), func(m *mod) bool { return !m.published })
}

// ours returns the module of the repository that has the module path, or nil.
func (r *repo) ours(modulePath string) *mod {
	for _, m := range r.modules {
		if m.path() == modulePath {
			return m
		}
	}
	return nil
}

func (m *mod) path() string { return m.file.Module.Mod.Path }

// tag returns the git tag of a version of the module.
func (m *mod) tag(version string) string { return path.Join(m.dir, version) }

// path returns where a file of the module is.
func (r *repo) path(m *mod, name string) string {
	return filepath.Join(r.dir, filepath.FromSlash(m.dir), name)
}

// lastVersion returns the highest released version of the module that is an
// ancestor of the commit, or "".
func (r *repo) lastVersion(m *mod, commit string) (string, error) {
	tags, err := r.git("tag", "--merged", commit)
	if err != nil {
		return "", err
	}
	last := ""
	for tag := range strings.Lines(tags) {
		version := path.Base(strings.TrimSpace(tag))
		if m.tag(version) == strings.TrimSpace(tag) && semver.IsValid(version) && semver.Compare(version, last) > 0 {
			last = version
		}
	}
	return last, nil
}

// clean returns an error if the work tree has changes.
func (r *repo) clean() error {
	status, err := r.git("status", "--porcelain")
	if err == nil && status != "" {
		err = fmt.Errorf("commit first; these have changed:\n%s", status)
	}
	return err
}

func (r *repo) git(args ...string) (string, error) { return output(r.dir, "git", args...) }

// output runs a program and returns what it prints.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
