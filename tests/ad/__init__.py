# SPDX-License-Identifier: Apache-2.0
"""An Active Directory for tests and demo."""
