from pathlib import Path

from scripts.llms_full import NAME, on_post_build


def test_pages_stand_in_the_order_of_the_navigation_and_links_to_files_are_left_out(tmp_path: Path):
    docs, site = tmp_path / "docs", tmp_path / "site"
    (docs / "guides").mkdir(parents=True)
    site.mkdir()
    (docs / "b.md").write_text("# Second\n")
    (docs / "guides" / "a.md").write_text("# First\n")
    (docs / "changes.md").write_text('--8<-- "CHANGELOG.md"\n')
    nav = [{"Guides": [{"A": "guides/a.md"}]}, "b.md", {"Changes": "changes.md"}]
    on_post_build({"docs_dir": str(docs), "site_dir": str(site), "nav": nav})
    assert (
        site / NAME
    ).read_text() == "<!-- guides/a.md -->\n\n# First\n\n<!-- b.md -->\n\n# Second"
