# SPDX-License-Identifier: MIT
"""tree: the files that lint looks at, from the disk or from a sample."""

import os
import subprocess


class Tree:
    """Text files by their path below the root, read once."""

    def __init__(self, root, paths, texts=None):
        self.root = root
        self.paths = sorted(paths)
        self._texts = texts or {}

    @classmethod
    def of_disk(cls, root):
        """All files that git knows or would add; without git, all files."""
        git = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z",
               "--cached", "--others", "--exclude-standard"]
        try:
            out = subprocess.run(git, capture_output=True, check=True).stdout
            paths = set(out.decode().split("\0")) - {""}
        except (OSError, subprocess.CalledProcessError):
            paths = set(cls._walk(root))
        return cls(root, [p for p in paths
                          if os.path.isfile(os.path.join(root, p))])

    @staticmethod
    def _walk(root):
        for folder, names, files in os.walk(root):
            names[:] = [n for n in names if n not in (".git", "node_modules")
                        and not (folder == root and n.startswith("build"))]
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), root)

    @classmethod
    def of_sample(cls, texts, root=None):
        """A tree that stands in a dict, and below root too when given."""
        if root:
            for path, text in texts.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
        return cls(root, list(texts), dict(texts))

    def text(self, path):
        """The text of a file; bytes that are no UTF-8 become U+FFFD."""
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8",
                      errors="replace") as f:
                self._texts[path] = f.read()
        return self._texts[path]

    def lines(self, path):
        """Pairs (number from 1, line)."""
        return enumerate(self.text(path).split("\n"), 1)

    def ending(self, *ends):
        """The paths with one of these endings."""
        return [p for p in self.paths if p.endswith(ends)]
