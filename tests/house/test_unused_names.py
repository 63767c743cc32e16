"""Whatever is public is used by the product or shown on a page; the rest would be kept alive by its tests alone."""

from unused_names import unused


def test_no_public_name_is_for_tests_alone(repository, checkout_files):
    rooms = ("structures/", "calculators/", "analysis/", "workflows/", "hpc/", "stored/", "__init__.py")
    assert unused(repository, [f for f in checkout_files if f.endswith(".py") and f.startswith(rooms)]) == []


def test_a_name_without_a_user_is_found(tmp_path):
    (tmp_path / "a.py").write_text(
        "def lonely(): return lonely()\n\ndef used(): return 1\n\nclass Kind:\n    def of_kind(self): return used()\n"
        "    def read(self): return Kind\n"
    )
    (tmp_path / "b.py").write_text("from a import Kind\n\nclass Page(dict):\n    def keys(self): return Page\n")
    (tmp_path / "README.md").write_text("As `of_kind` has it, Page().read and `Page`; lonely is no code here.\n")
    assert unused(tmp_path, ["a.py", "b.py"]) == ["a.py: lonely", "a.py: Kind.read"]
