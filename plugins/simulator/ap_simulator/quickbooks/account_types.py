"""Account types, their subtypes and classifications (QuickBooks manual 6.5).

The first subtype of each type is its default. Subtypes that are common to several types, as
`PrepaidExpenses` variants are, need the type to be told apart.
"""

from __future__ import annotations

from typing import Final

CLASSIFICATIONS: Final = {
    "Bank": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Receivable": "Asset",
    "Equity": "Equity",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Cost of Goods Sold": "Expense",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Long Term Liability": "Liability",
    "Other Current Liability": "Liability",
    "Income": "Revenue",
    "Other Income": "Revenue",
}

_SUBTYPES: Final = {
    "Bank": """CashOnHand Checking MoneyMarket RentsHeldInTrust Savings TrustAccounts
        CashAndCashEquivalents OtherEarMarkedBankAccounts""",
    "Other Current Asset": """EmployeeCashAdvances AllowanceForBadDebts DevelopmentCosts
        OtherCurrentAssets Inventory Investment_MortgageRealEstateLoans Investment_Other
        Investment_TaxExemptSecurities Investment_USGovernmentObligations LoansToOfficers
        LoansToOthers LoansToStockholders PrepaidExpenses Retainage UndepositedFunds
        GlobalTaxRefund InternalTransfers TradeAndOtherReceivables""",
    "Fixed Asset": """FurnitureAndFixtures AccumulatedDepletion AccumulatedDepreciation
        DepletableAssets FixedAssetComputers FixedAssetCopiers FixedAssetFurniture FixedAssetPhone
        FixedAssetPhotoVideo FixedAssetSoftware FixedAssetOtherToolsEquipment Land
        LeaseholdImprovements OtherFixedAssets AccumulatedAmortization Buildings IntangibleAssets
        MachineryAndEquipment Vehicles""",
    "Other Asset": """Licenses LeaseBuyout OtherLongTermAssets SecurityDeposits
        AccumulatedAmortizationOfOtherAssets Goodwill OrganizationalCosts""",
    "Accounts Receivable": "AccountsReceivable",
    "Accounts Payable": """AccountsPayable OutstandingDuesMicroSmallEnterprise
        OutstandingDuesOtherThanMicroSmallEnterprise""",
    "Credit Card": "CreditCard",
    "Equity": """OpeningBalanceEquity PartnersEquity RetainedEarnings AccumulatedAdjustment
        OwnersEquity PaidInCapitalOrSurplus PartnerContributions PartnerDistributions
        PreferredStock CommonStock TreasuryStock EstimatedTaxes Healthcare PersonalIncome
        PersonalExpense""",
    "Expense": """Travel AdvertisingPromotional BadDebts BankCharges CharitableContributions
        CommissionsAndFees Entertainment EntertainmentMeals EquipmentRental FinanceCosts
        GlobalTaxExpense Insurance InterestPaid LegalProfessionalFees OfficeExpenses
        OfficeGeneralAdministrativeExpenses OtherBusinessExpenses OtherMiscellaneousServiceCost
        PromotionalMeals RentOrLeaseOfBuildings RepairMaintenance ShippingFreightDelivery
        SuppliesMaterials TravelMeals Utilities Auto CostOfLabor DuesSubscriptions PayrollExpenses
        TaxesPaid UnappliedCashBillPaymentExpense AmortizationExpense BorrowingCost
        ExternalServices ManagementCompensation StaffCosts Sundry""",
    "Other Expense": """Depreciation ExchangeGainOrLoss OtherMiscellaneousExpense
        PenaltiesSettlements Amortization GasAndFuel HomeOffice MortgageInterest RentAndLease
        RepairsAndMaintenance ParkingAndTolls Vehicle VehicleInsurance VehicleLease VehicleLoan
        VehicleLoanInterest VehicleRegistration VehicleRepairs OtherHomeOfficeExpenses
        OtherVehicleExpenses Utilities WashAndRoadServices""",
    "Cost of Goods Sold": """CostOfLaborCos EquipmentRentalCos OtherCostsOfServiceCos
        ShippingFreightDeliveryCos SuppliesMaterialsCogs CostOfSales FreightAndDeliveryCost""",
    "Long Term Liability": "NotesPayable OtherLongTermLiabilities ShareholderNotesPayable",
    "Other Current Liability": """OtherCurrentLiabilities DirectDepositPayable LineOfCredit
        LoanPayable GlobalTaxPayable GlobalTaxSuspense PayrollClearing PayrollTaxPayable
        PrepaidExpensesPayable RentsInTrustLiability TrustAccountsLiabilities
        FederalIncomeTaxPayable InsurancePayable SalesTaxPayable StateLocalIncomeTaxPayable""",
    "Income": """OtherPrimaryIncome NonProfitIncome SalesOfProductIncome ServiceFeeIncome
        DiscountsRefundsGiven UnappliedCashPaymentIncome""",
    "Other Income": """OtherInvestmentIncome DividendIncome InterestEarned
        OtherMiscellaneousIncome TaxExemptInterest""",
}
SUBTYPES: Final = {kind: tuple(names.split()) for kind, names in _SUBTYPES.items()}


def complete_type(account_type: str | None, subtype: str | None) -> tuple[str, str] | None:
    """Type and subtype of an account from what was sent of them; None if they do not fit."""
    if account_type is None:
        for kind, names in SUBTYPES.items():
            if subtype in names:
                return kind, str(subtype)
        return None
    if account_type not in SUBTYPES:
        return None
    if subtype is None:
        return account_type, SUBTYPES[account_type][0]
    return (account_type, subtype) if subtype in SUBTYPES[account_type] else None
