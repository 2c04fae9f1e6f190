# SPDX-License-Identifier: Apache-2.0
"""A lying OpenID Provider for tests; README.md beside this file shows how to use it."""

from . import catalogue, faults, jose, pki, provider
from .canary import Canary, ProxyCanary
from .dns import StubResolver
from .exchange import Exchange
from .netns import NetNs
from .provider import DROP, ENDPOINTS, PATHS
from .server import FaultProvider, describe

__all__ = ["DROP", "ENDPOINTS", "PATHS", "Canary", "Exchange", "FaultProvider", "NetNs", "ProxyCanary", "StubResolver",
           "catalogue", "describe", "faults", "jose", "pki", "provider"]
