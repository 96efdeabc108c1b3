"""What comes with Commensal for the tests of plugins. Its fixtures are there wherever it is installed:

    @pytest.mark.plugins("invoice", settings={"days": 14})
    def test_an_invoice(shop):
        shop.order({"carrots": 4})
        assert shop.pay("invoice:invoice").state == "Pending"

``shop``, ``client``, ``clock``, ``run_jobs``, ``gateway``, ``instance`` and ``two_instances`` are fixtures. The names
here are their types, the checks that every plugin can be put to (`conforms`), and values to try price rules on. What is
not named here may change with any version.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
