"""Videos while parts of the mesh die."""

import json

from programs import until


def test_a_video_goes_on_when_a_detector_is_killed_in_the_middle(mesh, long_video):
    status, headers, body = mesh.send(
        "POST", "/v1/videos?pipeline=cascade%2Btrack", long_video.read_bytes(), {"Content-Type": "video/mp4"})
    assert status == 201, body
    path = headers["Location"]

    def under_way():
        job = mesh.get_json(path)
        return job if job["progress"]["frames_done"] >= 50 or job["state"] == "failed" else None

    job = until("the video is under way", under_way)
    total = job["progress"]["frames_total"]
    assert job["state"] == "running" and job["progress"]["frames_done"] < total // 2, job
    mesh.kill("detector")

    def over():
        job = mesh.get_json(path)
        return job if job["state"] not in ("queued", "running") else None

    job = until("the video is done", over)
    assert job["state"] == "done", job
    status, _, body = mesh.send("GET", f"{path}/results?format=jsonl")
    assert status == 200
    frames = [json.loads(line) for line in body.splitlines()]
    assert [frame["sequence"] for frame in frames] == list(range(total))
    failed = [(frame["sequence"], frame["status"], frame.get("cause")) for frame in frames if frame["status"] != "ok"]
    assert not failed, f"{len(failed)} of {total} frames: {failed[:10]}"
    assert job["progress"]["failed"] == job["progress"]["dropped"] == 0
