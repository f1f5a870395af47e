# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 7, ftok: the same key as libc's and sysv_ipc's for a thousand paths and projects."""

FAR_APART = ("/", "/dev", "/proc", "/sys", "/dev/shm", "/etc/passwd")  # on several devices


def same_keys(other):
    def scenario(scene):
        agent, judge = scene.start(scene.cell.first), scene.start(other)
        paths = [scene.path() for _ in range(1000 - len(FAR_APART))]
        for path in paths:
            path.touch()
        for number, path in enumerate([*FAR_APART, *paths]):
            asked = {"path": path, "proj": (number * 7) % 256}
            scene.equal(agent.do("ftok", **asked), judge.do("ftok", **asked), f"key of {path}")
        for path in paths:
            path.unlink()
        if other == "L":
            for end in (agent, judge):
                scene.equal(end.fails("ftok", path=paths[0], proj=1), "ENOENT", f"{end.party}: a path that is gone")

    return scenario


SCENARIOS = {"KEY.ftok": same_keys("L"), "KEY.sysv_ipc": same_keys("SV")}
