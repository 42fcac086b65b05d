package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// prepare makes the work tree that of a release.
func (r *repo) prepare(version string) error {
	if !released.MatchString(strings.TrimPrefix(version, "v")) {
		return fmt.Errorf("%s is not a version X.Y.Z", version)
	}
	if err := errors.Join(r.clean(), r.check()); err != nil {
		return err
	}
	if err := r.checkAPI(version); err != nil {
		return err
	}
	name := filepath.Join(r.dir, "CHANGELOG.md")
	changelog, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, after, ok := strings.Cut(string(changelog), unreleased+"\n")
	if section, _, _ := strings.Cut(after, "\n## "); !ok || strings.TrimSpace(section) == "" {
		return errors.New("the changelog has nothing unreleased")
	}
	heading := "## " + strings.TrimPrefix(version, "v") + " - " + time.Now().UTC().Format(time.DateOnly) + "\n"
	if err := os.WriteFile(name, []byte(before+heading+after), 0o666); err != nil {
		return err
	}
	name = filepath.Join(r.dir, "version.go")
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	source = versionLine.ReplaceAll(source, []byte(`const version = "`+strings.TrimPrefix(version, "v")+`"`))
	if err := os.WriteFile(name, source, 0o666); err != nil {
		return err
	}
	for _, m := range r.modules {
		if err := r.require(m, func(*mod) (string, error) { return version, nil }); err != nil {
			return err
		}
	}
	fmt.Printf("The work tree is that of %s. Commit it, run .ci/run, and then: go -C tools run ./release tags\n", version)
	return nil
}

// tags prints the commands that publish the release that HEAD is.
func (r *repo) tags() error {
	if err := errors.Join(r.clean(), r.check()); err != nil {
		return err
	}
	version, preparing, err := r.version()
	if err != nil {
		return err
	}
	if preparing == "" {
		return fmt.Errorf("HEAD is not a release: its version is %s; prepare one first", version)
	}
	if err := r.checkAPI(preparing); err != nil {
		return err
	}
	push := "git push --atomic origin HEAD:main"
	for _, m := range r.published() {
		if _, err := r.git("rev-parse", "--verify", "--quiet", "refs/tags/"+m.tag(preparing)); err == nil {
			return fmt.Errorf("the tag %s exists already", m.tag(preparing))
		}
		fmt.Printf("git tag -a -m %[1]s %[1]s\n", m.tag(preparing))
		push += " " + m.tag(preparing)
	}
	fmt.Println(push)
	return nil
}

// checkAPI returns an error unless the version may follow the last one: what it
// changes in the modules' APIs says which part of the version must grow.
func (r *repo) checkAPI(version string) error {
	last, err := r.lastVersion(r.modules[0], "HEAD")
	if err != nil {
		return err
	}
	if last == "" {
		fmt.Fprintln(os.Stderr, "There is no release to compare the API with.")
		return nil
	}
	if semver.Compare(version, last) <= 0 {
		return fmt.Errorf("%s must be higher than %s", version, last)
	}
	changes, err := r.apiChanges(last)
	if err != nil {
		return err
	}
	fmt.Fprint(os.Stderr, changes)
	switch {
	case changes.incompatible() && semver.Major(version) == semver.Major(last) && (semver.Major(last) != "v0" || semver.MajorMinor(version) == semver.MajorMinor(last)):
		return fmt.Errorf("%s must not break what %s had", version, last)
	case len(changes) > 0 && semver.MajorMinor(version) == semver.MajorMinor(last):
		return fmt.Errorf("%s must not add to the API of %s: raise the minor version", version, last)
	case semver.Compare(semver.Major(version), "v1") > 0:
		return fmt.Errorf("%s needs module paths that end in /%s", version, semver.Major(version))
	}
	return nil
}
