package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// pin has every module require our others as of a commit of main.
func (r *repo) pin(commit string) error {
	commit, err := r.git("rev-parse", "--verify", commit+"^{commit}")
	if err != nil {
		return err
	}
	if _, err := r.git("merge-base", "--is-ancestor", commit, r.main); err != nil {
		return fmt.Errorf("%.12s is not on %s: push it first", commit, r.main)
	}
	for _, m := range r.modules {
		if err := r.require(m, func(required *mod) (string, error) { return r.versionAt(required, commit) }); err != nil {
			return err
		}
	}
	fmt.Printf("The modules require our others as of %.12s. Commit that, and push it.\n", commit)
	return nil
}

// require sets the versions of our modules that a module requires.
func (r *repo) require(m *mod, version func(required *mod) (string, error)) error {
	for _, req := range m.file.Require {
		required := r.ours(req.Mod.Path)
		if required == nil {
			continue
		}
		v, err := version(required)
		if err != nil {
			return err
		}
		if err := m.file.AddRequire(req.Mod.Path, v); err != nil {
			return err
		}
	}
	text, err := m.file.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(r.path(m, "go.mod"), text, 0o666)
}

// versionAt returns the version that the go command gives a module at a commit:
// its tag's if it has one, else a pseudo-version.
func (r *repo) versionAt(m *mod, commit string) (string, error) {
	if _, err := r.git("cat-file", "-e", commit+":"+path.Join(m.dir, "go.mod")); err != nil {
		return "", fmt.Errorf("%s is not a module at %.12s yet: push it, and pin again", m.dir, commit)
	}
	last, err := r.lastVersion(m, commit)
	if err != nil {
		return "", err
	}
	if last != "" {
		if tagged, err := r.git("rev-parse", m.tag(last)+"^{commit}"); err != nil || tagged == commit {
			return last, err
		}
	}
	at, err := r.time(commit)
	if err != nil {
		return "", err
	}
	_, major, _ := module.SplitPathVersion(m.path())
	return module.PseudoVersion(strings.TrimPrefix(major, "/"), last, at, commit[:12]), nil
}

func (r *repo) time(commit string) (time.Time, error) {
	at, err := r.git("show", "--no-patch", "--format=%cI", commit)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, at)
	return t.UTC(), err
}

// checkRequirement returns an error unless others can have the version of our
// module that m requires, and a clone has that of its own work tree. The release
// that is being prepared has no tag yet.
func (r *repo) checkRequirement(m *mod, required *mod, version, preparing string) error {
	if !required.published {
		return fmt.Errorf("%s: it requires %s, which .ci/modules does not have published", path.Join(m.dir, "go.mod"), required.path())
	}
	if err := r.checkVersion(required, version, preparing); err != nil {
		return fmt.Errorf("%s: it requires %s %s, %w\nTo require what is on main: go -C tools run ./release pin",
			path.Join(m.dir, "go.mod"), required.path(), version, err)
	}
	want, err := filepath.Rel(filepath.FromSlash(m.dir), filepath.FromSlash(required.dir))
	if err != nil {
		return err
	}
	for _, replace := range m.file.Replace {
		if replace.Old.Path == required.path() {
			if replace.Old.Version != "" || path.Clean(replace.New.Path) != filepath.ToSlash(want) || !modfile.IsDirectoryPath(replace.New.Path) {
				return fmt.Errorf("%s: %s must be replaced by %s", path.Join(m.dir, "go.mod"), required.path(), filepath.ToSlash(want))
			}
			return nil
		}
	}
	return fmt.Errorf("%s: add replace %s => %s", path.Join(m.dir, "go.mod"), required.path(), filepath.ToSlash(want))
}

func (r *repo) checkVersion(m *mod, version, preparing string) error {
	if preparing != "" && version != preparing {
		return fmt.Errorf("and not %s, which is being released", preparing)
	}
	if version == preparing {
		return nil
	}
	commit := "refs/tags/" + m.tag(version)
	if module.IsPseudoVersion(version) {
		commit, _ = module.PseudoVersionRev(version)
	} else if semver.Canonical(version) != version {
		return fmt.Errorf("which is not a version")
	}
	commit, err := r.git("rev-parse", "--verify", "--quiet", commit+"^{commit}")
	if err != nil {
		return fmt.Errorf("which does not exist")
	}
	// HEAD is on main or will be.
	if _, err := r.git("merge-base", "--is-ancestor", commit, "HEAD"); err != nil {
		return fmt.Errorf("which is not an ancestor of HEAD")
	}
	if _, err := r.git("cat-file", "-e", commit+":"+path.Join(m.dir, "go.mod")); err != nil {
		return fmt.Errorf("where it is not a module yet")
	}
	if module.IsPseudoVersion(version) {
		at, err := r.time(commit)
		if err != nil {
			return err
		}
		if t, err := module.PseudoVersionTime(version); err != nil || !t.Equal(at) {
			return fmt.Errorf("whose commit is of another time")
		}
	}
	return nil
}
