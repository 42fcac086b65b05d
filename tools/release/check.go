package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// check returns an error unless modules, versions and changelog agree.
func (r *repo) check() error {
	_, preparing, err := r.version()
	if err != nil {
		return err
	}
	errs := []error{r.checkListed(), r.checkLicenses()}
	for _, m := range r.modules {
		for _, req := range m.file.Require {
			if required := r.ours(req.Mod.Path); required != nil {
				errs = append(errs, r.checkRequirement(m, required, req.Mod.Version, preparing))
			}
		}
	}
	return errors.Join(errs...)
}

// checkListed returns an error unless .ci/modules lists the modules that there
// are.
func (r *repo) checkListed() error {
	files, err := r.git("ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return err
	}
	var errs []error
	there := strings.Fields(files)
	for _, name := range there {
		if r.byDir(path.Dir(name)) == nil {
			errs = append(errs, fmt.Errorf(".ci/modules does not list %s", path.Dir(name)))
		}
	}
	for _, m := range r.modules {
		if !slices.Contains(there, path.Join(m.dir, "go.mod")) {
			errs = append(errs, fmt.Errorf(".ci/modules lists %s, which git does not know", m.dir))
		}
	}
	return errors.Join(errs...)
}

func (r *repo) byDir(dir string) *mod {
	for _, m := range r.modules {
		if m.dir == dir {
			return m
		}
	}
	return nil
}

// checkLicenses returns an error unless each published module has the root's
// LICENSE: what others download is the module alone.
func (r *repo) checkLicenses() error {
	var errs []error
	want, err := os.ReadFile(r.path(r.modules[0], "LICENSE"))
	errs = append(errs, err)
	for _, m := range r.published() {
		got, err := os.ReadFile(r.path(m, "LICENSE"))
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%s is not the root's", path.Join(m.dir, "LICENSE"))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

var (
	versionLine = regexp.MustCompile(`(?m)^const version = "(.*)"$`)
	released    = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	inBetween   = regexp.MustCompile(`^\d+\.\d+\.\d+-dev$`)
)

// unreleased is the changelog's heading of what no release has.
const unreleased = "## Unreleased"

// version returns the version of version.go, after holding it against the
// changelog. preparing is the release that the work tree is made for, if its
// tag is still to come.
func (r *repo) version() (version, preparing string, err error) {
	source, err := os.ReadFile(filepath.Join(r.dir, "version.go"))
	if err != nil {
		return "", "", err
	}
	match := versionLine.FindSubmatch(source)
	if match == nil {
		return "", "", errors.New(`version.go: there is no line const version = "…"`)
	}
	version = string(match[1])
	changelog, err := os.ReadFile(filepath.Join(r.dir, "CHANGELOG.md"))
	if err != nil {
		return "", "", err
	}
	_, first, _ := strings.Cut(string(changelog), "\n## ")
	first, _, _ = strings.Cut(first, "\n")
	if first == strings.TrimPrefix(unreleased, "## ") {
		if !inBetween.MatchString(version) {
			return "", "", fmt.Errorf("version.go says %q, and the changelog has what is unreleased: it must be the next version with -dev", version)
		}
		return version, "", nil
	}
	first, _, _ = strings.Cut(first, " ")
	if version != first || !released.MatchString(version) {
		return "", "", fmt.Errorf("version.go says %q, and the changelog's first heading %q", version, first)
	}
	if _, err := r.git("rev-parse", "--verify", "--quiet", "refs/tags/v"+version); err != nil {
		preparing = "v" + version
	}
	return version, preparing, nil
}
