# SPDX-License-Identifier: Apache-2.0
"""Scenes played at once: nearly all of a login is waiting, for the person and between polls.

    crowd = Crowd()

    @crowd.scene("F02")
    def bob_approving_alices_login_is_refused(company): ...

    @pytest.fixture(scope="module")
    def performed(request, company):
        yield from crowd.perform(request, "test_scene", company)

    @pytest.mark.parametrize("name", crowd.names())     # below the last scene
    def test_scene(name, performed):
        performed.of(name)

A scene's name is its rule, after the ids of the attack catalogue that it plays.  All scenes are
over before the first result is told, so other tests of the file never meet them.
"""

import concurrent.futures
from collections.abc import Callable

from support import Background, selected


class Crowd:
    def __init__(self, workers: int = 32):
        self._workers = workers
        self._scenes: dict[str, Callable] = {}

    def scene(self, *ids: str):
        def add(function):
            name = "-".join([*ids, function.__name__])
            assert name not in self._scenes, f"two scenes are called {name}"
            self._scenes[name] = function
            return function
        return add

    def names(self) -> list[str]:
        return list(self._scenes)

    def perform(self, request, test: str, *stage):
        names = selected(request, test)
        with Background(names, lambda name: self._scenes[name](*stage), self._workers) as played:
            concurrent.futures.wait([played.future(name) for name in names])
            yield played
